import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 170_000;

/** The shell blocks of one section of the README, as one script. */
function blocksOf(readme: string, from: string, to: string): string[] {
  const section = readme.slice(readme.indexOf(from), readme.indexOf(to));
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
}

/** Runs a script in a process group of its own, which ends with it whatever it left running. */
async function run(script: string, cwd: string): Promise<{ code: number | null; output: string }> {
  const shell = spawn('bash', ['-c', script], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
  const endGroup = (): void => {
    try {
      process.kill(-(shell.pid ?? 0), 'SIGKILL');
    } catch {
      // The group is gone.
    }
  };
  const timer = setTimeout(endGroup, TIMEOUT_MS);
  const [code] = (await once(shell, 'exit')) as [number | null];
  clearTimeout(timer);
  endGroup();
  return { code, output };
}

describe('the commands of the README', () => {
  it('start a workspace, Redis, the relay and an agent when pasted one after another; curl sends beside them, and the workspace answers, protects and exports', async () => {
    // Arrange: a checkout's folders under another path, since the commands write beside them.
    await using folder = await temporaryFolder();
    for (const name of ['src', 'appliance', 'node_modules', 'package.json']) await symlink(join(root, name), join(folder.path, name));
    // Older than the packages that are there: else preparing would install them anew, through the link, under everybody's feet.
    await copyFile(join(root, 'package-lock.json'), join(folder.path, 'package-lock.json'));
    await utimes(join(folder.path, 'package-lock.json'), 0, 0);
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const blocks = blocksOf(readme, '## Run it', '### Linux Log Analytics agents');
    const [look, send, end] = blocks.slice(-3);
    assert.ok(look?.includes('count') && send?.includes('curl') && end?.includes('rm -r try'), 'the section has changed its shape');
    const arrived = 'until relay local-workspace count --data try/workspace --json | grep -q LINUX_PERF_BLOB; do sleep 1; done';
    const sent = "until relay local-workspace records --data try/workspace --workspace $W --where 'sent with curl' | grep -q curl; do sleep 1; done";
    const walk = blocksOf(readme, '### Walk through it', '### Ask it');

    // Act
    const script = ['set -e', "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", ...blocks.slice(0, -3), arrived, look, send, sent, ...walk, end].join('\n');
    const { code, output } = await run(script, folder.path);

    // Assert
    assert.equal(code, 0, output);
    assert.match(output, /relay\.yaml is good/);
    assert.match(output, /is approved\./);
    assert.match(output, /HEALTH_ASSESSMENT_BLOB/);
    assert.match(output, /^200$/m);
    assert.match(output, /sent with curl/);
    assert.match(output, /^LAQueryLogs +1 /m, 'the first question is on record when the second is asked');
    assert.match(output, /^avg_CounterValue by TimeGenerated$/m);
    assert.match(output, /"name":"PrimaryResult".*"sent with curl"/, 'a reader got the row over HTTPS');
    assert.match(output, /^Perf is kept 90 days; 14 days from /m);
    assert.match(output, /^purge-[\w-]+ is taken\./m);
    assert.match(output, /has been locked since .*"the auditors are here"/);
    assert.match(output, /^refused, as it should be$/m);
    assert.match(output, /lines are as they were written\. The last one: --head/);
    assert.match(output, /^INC-0001 is assessed\.$/m);
    assert.match(output, /files are as they were written\. The last line: --head/);
    assert.match(output, /"Type":"Heartbeat"/, 'the export can be read with zcat');
    assert.match(output, /The tables of workspace .* are closed since .*its key is not there/);
  });
});
