import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkMayWrite, linkReplica } from '../../../src/local-workspace/replica/marks.ts';
import { openReplica } from '../../../src/local-workspace/replica/replica.ts';
import { type TakeOver, type TakeOverOutcome, takeOver } from '../../../src/local-workspace/replica/take-over.ts';
import { silentLogger } from '../../../src/logger.ts';
import { crashingDisk } from '../private-storage/crashing-disk.ts';
import { temporaryFolder } from '../rig.ts';
import { createReplicaRig, type ReplicaRig, START } from './replica-rig.ts';

/** A replica in step, of a data folder that ended in order. */
async function copied(t: TestContext): Promise<ReplicaRig> {
  const rig = await createReplicaRig(t);
  await rig.seal('segments/2026/a', 'aaa');
  const replica = await rig.open();
  await rig.append(replica, 'staging/1.log', 'rows');
  await replica.settled();
  await replica.close();
  return rig;
}

async function newFolder(t: TestContext): Promise<string> {
  return join(await temporaryFolder(t), 'data');
}

function take(rig: ReplicaRig, toFolder: string, more: Partial<TakeOver> = {}): Promise<TakeOverOutcome> {
  return takeOver({ replicaFolder: rig.replicaFolder, toFolder, nowMs: START + 1_000_000, newId: randomUUID, ...more });
}

async function assertWhole(folder: string): Promise<void> {
  assert.deepEqual(await Promise.all(['segments/2026/a', 'staging/1.log', 'catalogue.sqlite'].map((path) => readFile(join(folder, path), 'utf8'))), [
    'aaa',
    'rows',
    '["segments/2026/a"]',
  ]);
  await checkMayWrite(folder);
}

test('a replica becomes a data folder: files, logs and the catalogue under its own name', async (t) => {
  const rig = await copied(t);
  const to = await newFolder(t);
  assert.deepEqual(await take(rig, to), { outcome: 'taken-over', epoch: 2, files: 3, bytes: 26 });
  await assertWhole(to);
});

test('the old data folder is shut out: where it can be reached at once, else when it finds the replica', async (t) => {
  for (const isReachable of [true, false]) {
    const rig = await copied(t);
    await take(rig, await newFolder(t), isReachable ? { oldDataFolder: rig.folder } : {});
    await assert.rejects(rig.open(), { code: 'relay.local-workspace.superseded', message: /epoch 1.*epoch 2/ });
    await assert.rejects(checkMayWrite(rig.folder), { code: 'relay.local-workspace.superseded' }, 'also where the replica is away by now');
    await rename(rig.replicaFolder, `${rig.replicaFolder}-away`);
    await assert.rejects(rig.open({ whenAway: 'go-on' }), { code: 'relay.local-workspace.superseded' });
    await rename(`${rig.replicaFolder}-away`, rig.replicaFolder);
  }
});

test('a process that still runs while it is taken over from writes nothing more', async (t) => {
  const rig = await copied(t);
  const replica = await rig.open({ whenAway: 'go-on' });
  await rig.append(replica, 'staging/1.log', ' more');
  await replica.settled();
  await take(rig, await newFolder(t), { force: true });
  for (let tries = 0; tries < 2; tries += 1) {
    await assert.rejects(rig.append(replica, 'staging/1.log', ' lost'), { code: 'relay.local-workspace.superseded', message: /took over/ });
  }
  assert.equal(replica.state().status, 'superseded');
  assert.equal(await rig.onReplica('staging/1.log'), 'rows more');
});

test('nobody takes over from a data folder that is in use, unless its machine is known to be gone', async (t) => {
  const rig = await createReplicaRig(t);
  const replica = await rig.open();
  await replica.settled();
  const to = await newFolder(t);
  await assert.rejects(take(rig, to, { nowMs: START + 59_000 }), { code: 'relay.local-workspace.replica-in-use', message: /59 seconds ago/ });
  await assert.rejects(take(rig, to, { nowMs: START - 1_000_000 }), { code: 'relay.local-workspace.replica-in-use' }, 'a clock that is wrong');
  await assert.rejects(take(rig, to, { oldDataFolder: rig.folder, isRunning: async () => true, force: true }), {
    code: 'relay.local-workspace.replica-in-use',
    message: /stop it first/,
  });
  await rig.append(replica, 'a.log', 'still the first');
  assert.equal((await take(rig, to, { nowMs: START + 61_000 })).outcome, 'taken-over');
});

test('a damaged replica is not taken over, and nothing is changed', async (t) => {
  const rig = await copied(t);
  await writeFile(join(rig.replicaFolder, 'segments/2026/a'), 'aXa');
  const outcome = await take(rig, await newFolder(t));
  assert.ok(outcome.outcome === 'damaged');
  assert.deepEqual(
    outcome.report.faults.map(({ fault, path }) => [fault, path]),
    [['differs', 'segments/2026/a']],
  );
  await (await rig.open()).settled();
});

test('a folder that is no replica, or has no catalogue yet, and one that holds something are refused', async (t) => {
  const rig = await copied(t);
  const full = await temporaryFolder(t);
  await writeFile(join(full, 'x'), 'x');
  await assert.rejects(take(rig, full), { code: 'relay.local-workspace.folder-not-empty' });
  await assert.rejects(take({ ...rig, replicaFolder: full }, await newFolder(t)), { code: 'relay.local-workspace.replica-not-there' });
  const fresh = await createReplicaRig(t);
  const outcome = await take(fresh, await newFolder(t));
  assert.ok(outcome.outcome === 'damaged' && outcome.report.faults[0]?.fault === 'no-catalogue');
});

test('a take-over that is cut off at any step may not be started, and can be done again', async (t) => {
  const rig = await copied(t);
  const original = `${rig.replicaFolder}-original`;
  await cp(rig.replicaFolder, original, { recursive: true });
  let isDone = false;
  for (let step = 1; !isDone; step += 1) {
    const replicaFolder = join(await temporaryFolder(t), 'second');
    await cp(original, replicaFolder, { recursive: true });
    const to = await newFolder(t);
    const disk = await crashingDisk(step, step % 2 === 0 ? 'kill' : 'power-cut');
    isDone = await take({ ...rig, replicaFolder }, to, { disk }).then(
      () => true,
      () => false,
    );
    await disk.bury();
    const mayStart = await checkMayWrite(to).then(
      () => true,
      () => false,
    );
    const isWhole = await assertWhole(to).then(
      () => true,
      () => false,
    );
    const hasData = await readFile(join(to, 'catalogue.sqlite')).then(
      () => true,
      () => false,
    );
    assert.ok(!mayStart || isWhole || !hasData, `step ${step}`);
    if (!isWhole) await take({ ...rig, replicaFolder }, to);
    await assertWhole(to);
    assert.ok(step < 100);
  }
});

test('the new data folder goes on with the replica that it came from, which counts on', async (t) => {
  const rig = await copied(t);
  const to = await newFolder(t);
  await take(rig, to);
  const mine = await createReplicaRig(t);
  const source = { ...mine.source, folder: to, files: async () => [], logs: async () => [{ path: 'staging/1.log', bytes: 4 }] };
  const settings = { folder: rig.replicaFolder, mode: 'sync', whenAway: 'refuse', waitSeconds: 10 } as const;
  const replica = await openReplica({ dataFolder: to, settings, source, clock: rig.clock, log: silentLogger });
  await replica.settled();
  assert.deepEqual([replica.state().status, replica.state().epoch], ['in-step', 2]);
  await replica.close();
});

test('a folder is linked to one data folder, and only when it is empty or may be replaced', async (t) => {
  const [rig, other] = [await copied(t), await createReplicaRig(t)];
  const link = (folder: string, again?: boolean): Promise<unknown> =>
    linkReplica({ dataFolder: other.folder, folder, newId: randomUUID, ...(again === undefined ? {} : { again }) });
  await assert.rejects(link(rig.replicaFolder), { code: 'relay.local-workspace.replica-of-another', message: /--again/ });
  const full = await temporaryFolder(t);
  await writeFile(join(full, 'photo'), 'x');
  await assert.rejects(link(full), { code: 'relay.local-workspace.folder-not-empty' });
  const disk = await temporaryFolder(t);
  await mkdir(join(disk, 'lost+found'));
  await link(disk);
  await link(rig.replicaFolder, true);
  await assert.rejects((await rig.open()).settled(), { code: 'relay.local-workspace.replica-away' });
});
