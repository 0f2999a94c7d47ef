import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AskWorkspace } from '../../../src/commands/local-workspace-export.ts';
import { replicaCommand } from '../../../src/commands/local-workspace-replica.ts';
import { CommandFailure } from '../../../src/commands/output.ts';
import { RelayError } from '../../../src/errors.ts';
import { workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import { openReplica } from '../../../src/local-workspace/replica/replica.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { BANK, temporaryFolder } from '../rig.ts';
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
async function copied(t: TestContext): Promise<FirstDisk & { second: string; dataFolder: string }> {
  const dataFolder = await temporaryFolder(t);
  const folder = workspaceFolder(dataFolder, BANK);
  const first = await createFirstDisk(t, folder);
  const second = join(await temporaryFolder(t), 'second');
  await mkdir(second);
  assert.match((await run(['link', second, '--data', dataFolder, '--workspace', BANK])).text, /epoch 1/);
  await first.seal('segments/a', 'aaa');
  const settings = { folder: second, mode: 'sync', whenAway: 'refuse', waitSeconds: 10 } as const;
  const replica = await openReplica({ dataFolder: first.folder, settings, source: first.source, clock: createManualClock(), log: silentLogger });
  await replica.settled();
  await replica.close();
  return { ...first, second, dataFolder };
}

test('a folder is linked, checked, and taken over, by commands alone', async (t) => {
  const { second, dataFolder, folder } = await copied(t);
  assert.match((await run(['check', second])).text, /2 files.*all as they ought to be/);
  const to = join(await temporaryFolder(t), 'data');
  const taken = await run(['take-over', second, '--workspace', BANK, '--to', to, '--old-data', dataFolder]);
  assert.deepEqual([taken.code, /epoch 2.*relay local-workspace start --data/s.test(taken.text)], [0, true]);
  assert.equal(await readFile(join(workspaceFolder(to, BANK), 'segments/a'), 'utf8'), 'aaa');
  assert.match(await readFile(join(folder, 'replica.json'), 'utf8'), /"supersededBy":2/);
});

test('a damaged replica is named file by file and not taken over', async (t) => {
  const { second } = await copied(t);
  await writeFile(join(second, 'segments/a'), 'aXa');
  for (const args of [
    ['check', second],
    ['take-over', second, '--workspace', BANK, '--to', join(await temporaryFolder(t), 'data')],
  ]) {
    const ran = await run(args);
    assert.equal(ran.code, 1);
    assert.match(ran.text, /differs +segments\/a +its bytes are others/);
  }
});

test('a data folder on which somebody answers is not taken over from', async (t) => {
  const { second, dataFolder } = await copied(t);
  const ran = await run(
    ['take-over', second, '--workspace', BANK, '--to', join(await temporaryFolder(t), 'data'), '--old-data', dataFolder, '--force'],
    async () => ({}),
  );
  assert.deepEqual([ran.code, /stop it first/.test(ran.message)], [-1, true]);
});

test('a data folder that has the workspace already is not taken over to', async (t) => {
  const { second } = await copied(t);
  const to = await temporaryFolder(t);
  await mkdir(join(to, 'workspaces'));
  await writeFile(join(to, 'workspaces', `${BANK}.sqlite`), '');
  const ran = await run(['take-over', second, '--workspace', BANK, '--to', to]);
  assert.deepEqual([ran.code, /of its own/.test(ran.message)], [-1, true]);
  assert.match((await run(['check', second])).text, /all as they ought to be/);
});

test('status and verify ask the running process, which verifies for as long as it takes', async () => {
  const asked: string[] = [];
  const state = { status: 'away', since: 0, reason: 'no disk', waitingFiles: 1, damagedFiles: 0, catalogueAt: undefined, epoch: 1 };
  const report = { faults: [{ fault: 'missing', path: 'segments/a', message: 'it is not there' }], files: 1, bytes: 3 };
  const ask: AskWorkspace = async (_data, { method, path, body }) => {
    asked.push(`${method} ${path} ${JSON.stringify(body)}`);
    if (path === '/replica') return [{ workspace: BANK, folder: '/mnt/second', ...state }];
    return method === 'POST' ? { state: 'running' } : { state: 'done', report };
  };
  assert.match((await run(['status', '--data', '/data'], ask)).text, /mnt.second +away +1970-01-01 00:00:00 +1 .*no disk/);
  assert.equal((await run(['verify', '--data', '/data', '--workspace', BANK], ask)).code, 1);
  assert.equal((await run(['verify', '--data', '/data', '--workspace', BANK, '--repair'], ask)).code, 0);
  assert.deepEqual(asked, [
    'GET /replica undefined',
    `POST /replica/verify {"workspace":"${BANK}","repair":false}`,
    `GET /replica/verify?workspace=${BANK} undefined`,
    `POST /replica/verify {"workspace":"${BANK}","repair":true}`,
    `GET /replica/verify?workspace=${BANK} undefined`,
  ]);
});

test('a verification that fails says why', async () => {
  const ask: AskWorkspace = async () => ({ state: 'failed', detail: 'the disk is away' });
  const ran = await run(['verify', '--data', '/data', '--workspace', BANK], ask);
  assert.deepEqual([ran.code, ran.message], [1, 'the disk is away']);
});
