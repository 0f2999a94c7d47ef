import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { type KeyProgramCall, type KeyProgramEnd, runKeyProgram } from '../../../src/local-workspace/keys/key-program.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function run(script: string, more: Partial<KeyProgramCall> = {}): Promise<KeyProgramEnd> {
  return runKeyProgram({ command: ['/bin/sh', '-c', script], input: '', secrets: [], ...more }, systemClock);
}

test('a program gets its input, its variables and no others, and its end is told', async () => {
  const ended = await run('cat; env | sort; pwd; echo one >&2; printf "\\033two\\n\\n" >&2; exit 3', { input: 'in\n', environment: { KEY_OF: 'bank' } });
  assert.equal(ended.how, 'ended');
  assert.ok(ended.how === 'ended');
  assert.equal(ended.code, 3);
  assert.deepEqual(ended.said, ['one', 'two']);
  const lines = ended.out.toString().trim().split('\n');
  assert.equal(lines[0], 'in');
  assert.equal(lines.at(-1), '/');
  assert.deepEqual(lines.slice(1, -1).map((line) => line.replace(/=.*/, '')).filter((name) => !/^(_|PWD|OLDPWD|SHLVL)$/.test(name)), ['KEY_OF', 'LANG', 'PATH']); // biome-ignore format: one line
});

test('secrets are struck out of what a program says, and long lines are cut', async () => {
  const ended = await run('echo "the PIN is $PIN, really $PIN" >&2; head -c 1000 /dev/zero | tr "\\0" x >&2', {
    environment: { PIN: 'MARKER-PIN' },
    secrets: ['MARKER-PIN', ''],
  });
  assert.ok(ended.how === 'ended');
  assert.deepEqual(ended.said, ['the PIN is [secret], really [secret]', 'x'.repeat(300)]);
});

test('a program that cannot be started, or is killed, or writes without end is told apart', async () => {
  for (const [what, ended, reason] of [
    ['no such program', await run('', { command: ['/nowhere/key'] }), /^it cannot be started: .*ENOENT/],
    ['no program', await run('', { command: ['/etc/passwd'] }), /^it cannot be started: .*EACCES/],
    ['killed', await run('kill -9 $$'), /^it was killed by SIGKILL$/],
    ['without end', await run('cat /dev/zero'), /^it wrote more than 65536 bytes$/],
    ['without end on its error output', await run('cat /dev/zero >&2'), /^it wrote more than 65536 bytes$/],
  ] as const) {
    assert.ok(ended.how === 'failed', what);
    assert.match(ended.reason, reason, what);
  }
});

test('a program that does not read its input does not matter', async () => {
  const ended = await run('exec 0<&-; echo done', { input: Buffer.alloc(1_000_000) });
  assert.ok(ended.how === 'ended');
  assert.equal(ended.out.toString(), 'done\n');
});

test('after ten seconds a program is killed, and what it has started too', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'pid');
  const clock = createManualClock();
  const ending = runKeyProgram({ command: ['/bin/sh', '-c', `sleep 600 & echo $! > ${file}; wait`], input: '', secrets: [] }, clock);
  const pid = await eventually('it has started another', async () => Number(await readFile(file, 'utf8').catch(() => '')) || undefined);
  clock.advance(9_999);
  assert.deepEqual(clock.waits(), [1]);
  clock.advance(1);
  assert.deepEqual(await ending, { how: 'too-slow' });
  // Dead, though perhaps not yet buried.
  await eventually('it is gone', async () => /^\d+ \(.*\) [ZX]|^$/.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
});
