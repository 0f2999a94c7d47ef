import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KEY, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

// What main.ts does with a command, in a process of its own.
const PROGRAM = `
  const { agentCommand } = await import(${JSON.stringify(new URL('../../src/commands/agent.ts', import.meta.url).href)});
  await agentCommand().parseAsync(process.argv.slice(1), { from: 'user' }).catch((error) => {
    process.stderr.write(error.message + '\\n');
    process.exitCode = error.exitCode ?? 1;
  });`;

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function relayAgent(...args: string[]): { child: ChildProcess; finished: Promise<Finished>; printed: () => string } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, '--', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const { promise, resolve } = Promise.withResolvers<Finished>();
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.once('close', (code) => resolve({ code, stdout, stderr }));
  return { child, finished: promise, printed: () => stdout };
}

describe('relay agent', () => {
  it('enrols by fingerprint, sends until SIGTERM and shows what waits', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const [data, keyFile] = [join(folder.path, 'data'), join(folder.path, 'key')];
    await writeFile(keyFile, `${KEY}\n`, { mode: 0o600 });
    const common = ['--relay', relay.address, '--workspace', WORKSPACE, '--key-file', keyFile, '--data', data];
    const enrolled = await relayAgent('enrol', ...common, '--trust-fingerprint', relay.rootFingerprint, '--name', 'web01').finished;
    assert.deepEqual([enrolled.code, enrolled.stderr], [0, '']);
    assert.match(enrolled.stdout, /^Enrolled web01 as agent [0-9a-f-]{36} of workspace 3f1c2d4e/);

    relay.answer = ({ path }) => (path.startsWith('/OperationalData') ? { status: 503 } : undefined);
    const running = relayAgent('run', '--data', data);
    await eventually('an upload', () => relay.uploads().length > 0);
    running.child.kill('SIGTERM');
    const ran = await running.finished;
    assert.deepEqual([ran.code, ran.stderr], [0, '']);
    assert.match(ran.stdout, /"msg":"agent stopped"/);

    const status = await relayAgent('status', '--data', data).finished;
    assert.match(status.stdout, /^agent {8}[0-9a-f-]{36} \(web01\)\n.*WAITING .*\nHEALTH_ASSESSMENT_BLOB +State +relay +1 /s);
    const json = JSON.parse((await relayAgent('status', '--data', data, '--json').finished).stdout) as { hostName: string; waiting: { batches: number }[] };
    assert.equal(json.hostName, 'web01');
    assert.ok(json.waiting.every(({ batches }) => batches > 0));
  });

  it("prints the relay's reason and message, and exits with 1, when it is refused", async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const [root, keyFile] = [join(folder.path, 'root.pem'), join(folder.path, 'key')];
    await writeFile(root, relay.root);
    await writeFile(keyFile, Buffer.alloc(64).toString('base64'), { mode: 0o600 });
    const args = ['--relay', relay.address, '--workspace', WORKSPACE, '--key-file', keyFile, '--data', folder.path];
    const refused = await relayAgent('enrol', ...args, '--trust', root).finished;
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /403 InvalidWorkspaceKey\)\. No enrolment key of that workspace/);
    const unsure = await relayAgent('enrol', ...args).finished;
    assert.equal(unsure.code, 2);
    assert.match(unsure.stderr, /Say whom to trust/);
  });

  it('takes the size of its queue as the relay takes sizes, and refuses what is none or too small', async () => {
    await using folder = await makeTestFolder();
    for (const bad of ['200', 'much', '0MiB', '-1']) {
      const { stderr, code } = await relayAgent('run', '--data', folder.path, `--queue-limit=${bad}`).finished;
      assert.match(stderr, /A size such as 512MiB, at least 1MiB/, bad);
      assert.notEqual(code, 0);
    }
    // The size is taken: what is missing is the enrolment.
    assert.match((await relayAgent('run', '--data', folder.path, '--queue-limit', '512MiB').finished).stderr, /relay agent enrol/);
  });
});
