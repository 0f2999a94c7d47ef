import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AskWorkspace } from '../../../src/commands/local-workspace-export.ts';
import { replicaCommand } from '../../../src/commands/local-workspace-replica.ts';
import { CommandFailure } from '../../../src/commands/output.ts';
import { RelayError } from '../../../src/errors.ts';
import { openReplica } from '../../../src/local-workspace/replica/replica.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../rig.ts';
import { createFirstDisk, type FirstDisk } from './replica-rig.ts';

const NOBODY: AskWorkspace = () => Promise.reject(new RelayError('relay.control.not-running', 'nobody'));

async function run(args: readonly string[], ask: AskWorkspace = NOBODY): Promise<{ code: number; text: string; message: string }> {
  const lines: string[] = [];
  const text = (): string => lines.join('\n');
  try {
    await replicaCommand(ask, (json) => ({ json, line: (line) => void lines.push(line) })).parseAsync(args, { from: 'user' });
    return { code: 0, text: text(), message: '' };
  } catch (error) {
    assert.ok(error instanceof CommandFailure || error instanceof RelayError, String(error));
    return { code: error instanceof CommandFailure ? error.exitCode : -1, text: text(), message: error.message };
  }
}

/** A data folder with a replica that has everything. */
async function copied(t: TestContext): Promise<FirstDisk & { second: string }> {
  const first = await createFirstDisk(t);
  const second = join(await temporaryFolder(t), 'second');
  await mkdir(second);
  assert.match((await run(['link', second, '--data', first.folder])).text, /epoch 1/);
  await first.seal('segments/a', 'aaa');
  const settings = { folder: second, mode: 'sync', whenAway: 'refuse', waitSeconds: 10 } as const;
  const replica = await openReplica({ dataFolder: first.folder, settings, source: first.source, clock: createManualClock(), log: silentLogger });
  await replica.settled();
  await replica.close();
  return { ...first, second };
}

test('a folder is linked, checked, and taken over, by commands alone', async (t) => {
  const { second, folder } = await copied(t);
  assert.match((await run(['check', second])).text, /2 files.*all as they ought to be/);
  const to = join(await temporaryFolder(t), 'data');
  const taken = await run(['take-over', second, '--to', to, '--old-data', folder]);
  assert.deepEqual([taken.code, /epoch 2.*relay local-workspace start --data/s.test(taken.text)], [0, true]);
  assert.equal(await readFile(join(to, 'segments/a'), 'utf8'), 'aaa');
  assert.match(await readFile(join(folder, 'replica.json'), 'utf8'), /"supersededBy":2/);
});

test('a damaged replica is named file by file and not taken over', async (t) => {
  const { second } = await copied(t);
  await writeFile(join(second, 'segments/a'), 'aXa');
  for (const args of [
    ['check', second],
    ['take-over', second, '--to', join(await temporaryFolder(t), 'data')],
  ]) {
    const ran = await run(args);
    assert.equal(ran.code, 1);
    assert.match(ran.text, /differs +segments\/a +its bytes are others/);
  }
});

test('a data folder on which somebody answers is not taken over from', async (t) => {
  const { second, folder } = await copied(t);
  const ran = await run(['take-over', second, '--to', join(await temporaryFolder(t), 'data'), '--old-data', folder, '--force'], async () => ({}));
  assert.deepEqual([ran.code, /stop it first/.test(ran.message)], [-1, true]);
});

test('status and verify ask the running process', async () => {
  const asked: string[] = [];
  const state = { status: 'away', since: 0, reason: 'no disk', waitingFiles: 1, damagedFiles: 0, catalogueAt: undefined, epoch: 1 };
  const ask: AskWorkspace = async (_data, { path, body }) => {
    asked.push(`${path} ${JSON.stringify(body)}`);
    return path === '/replica' ? state : { faults: [{ fault: 'missing', path: 'segments/a', message: 'it is not there' }], files: 1, bytes: 3 };
  };
  assert.match((await run(['status', '--data', '/data'], ask)).text, /away +1970-01-01 00:00:00 +1 .*no disk/);
  assert.equal((await run(['verify', '--data', '/data'], ask)).code, 1);
  assert.equal((await run(['verify', '--data', '/data', '--repair'], ask)).code, 0);
  assert.deepEqual(asked, ['/replica undefined', '/replica/verify {"repair":false}', '/replica/verify {"repair":true}']);
});
