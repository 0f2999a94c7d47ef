import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SCRIPT = new URL('../../appliance/files/usr/local/lib/relay/first-boot', import.meta.url);

/** Runs the script with a setup in place of the real one; returns its exit code, how often setup ran, and what the console says. */
async function firstBoot(setup: string): Promise<{ code: number | null; runs: number; console: string }> {
  await using folder = await temporaryFolder();
  const [program, runs, screen] = ['setup', 'runs', 'console'].map((name) => join(folder.path, name)) as [string, string, string];
  await writeFile(program, `#!/bin/sh\necho run >>${runs}\n${setup}\n`, { mode: 0o700 });
  await writeFile(screen, '');
  const text = (await readFile(SCRIPT, 'utf8')).replace('systemd-cat --identifier=relay-setup /usr/local/bin/relay', program).replace('/dev/console', screen);
  const { status } = spawnSync('sh', ['-c', text]);
  return { code: status, runs: (await readFile(runs, 'utf8')).split('\n').length - 1, console: await readFile(screen, 'utf8') };
}

describe('the first boot', () => {
  for (const [what, setup, code, runs] of [
    ['that was done', 'exit 0', 0, 1],
    ['without answers, which the console asks for', 'exit 2', 0, 1],
    ['that failed, once and with its words', 'exit 1', 1, 1],
    ['that a signal ended three times', 'kill -TRAP $$', 1, 3],
  ] as const) {
    it(`goes on after a setup ${what}`, async () => {
      const ended = await firstBoot(setup);
      assert.deepEqual([ended.code, ended.runs], [code, runs]);
      assert.match(ended.console, runs === 3 ? /ended by signal 5, 3 times.*relay setup/ : /^$/);
    });
  }

  it('tries a setup again that a signal ended', async () => {
    await using folder = await temporaryFolder();
    const mark = join(folder.path, 'mark');
    assert.deepEqual(await firstBoot(`[ -e ${mark} ] && exit 0; touch ${mark}; kill -KILL $$`), { code: 0, runs: 2, console: '' });
  });
});
