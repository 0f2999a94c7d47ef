import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Disk, realDisk } from '../../../src/local-workspace/private-storage/place/disk.ts';
import { checkReplica, compareReplica } from '../../../src/local-workspace/replica/check-replica.ts';
import { eventually } from '../../support/eventually.ts';
import { crashingDisk } from '../private-storage/crashing-disk.ts';
import { temporaryFolder } from '../rig.ts';
import { createReplicaRig, type ReplicaRig } from './replica-rig.ts';

async function inStep(rig: ReplicaRig): Promise<void> {
  assert.deepEqual((await compareReplica(rig.source, rig.replicaFolder)).faults, []);
}

/** Takes the second disk away, with its mount point or without. The function returned brings it back. */
async function unmount(t: TestContext, { replicaFolder }: ReplicaRig, { mountPoint = true } = {}): Promise<() => Promise<void>> {
  await rename(replicaFolder, `${replicaFolder}-away`);
  t.after(() => rm(`${replicaFolder}-away`, { recursive: true, force: true }));
  if (mountPoint) await mkdir(replicaFolder);
  return async () => {
    if (mountPoint) await rm(replicaFolder, { recursive: true });
    await rename(`${replicaFolder}-away`, replicaFolder);
  };
}

test('what is appended in sync is on the second disk when the append returns, also many at once', async (t) => {
  const rig = await createReplicaRig(t);
  const replica = await rig.open();
  await rig.append(replica, 'staging/1.log', 'one ');
  assert.equal(await rig.onReplica('staging/1.log'), 'one ');
  const offsets = [];
  for (const text of ['two ', 'three ', 'four ']) offsets.push({ text, offset: await rig.grow('staging/1.log', text) });
  await Promise.all(offsets.map(({ text, offset }) => replica.append('staging/1.log', offset, Buffer.from(text))));
  assert.equal(await rig.onReplica('staging/1.log'), 'one two three four ');
  await replica.settled();
  assert.equal(replica.state().status, 'in-step');
});

test('appends that wait at the same moment share one sync', async (t) => {
  const rig = await createReplicaRig(t);
  let syncs = 0;
  const disk: Disk = {
    ...realDisk,
    append: async (path) => {
      const file = await realDisk.append(path);
      if (!path.endsWith('.log')) return file;
      return {
        ...file,
        sync: async () => {
          syncs += 1;
          await file.sync();
        },
      };
    },
  };
  const replica = await rig.open({}, { disk });
  await rig.append(replica, 'a.log', 'first');
  const before = syncs;
  const offsets: number[] = [];
  for (let at = 0; at < 50; at += 1) offsets.push(await rig.grow('a.log', 'x'));
  await Promise.all(offsets.map((offset) => replica.append('a.log', offset, Buffer.from('x'))));
  assert.ok(syncs - before <= 2, `${syncs - before} syncs`);
});

test('a replica that is new, or was away, is brought in step: files, logs, catalogue, and what is gone', async (t) => {
  const rig = await createReplicaRig(t);
  await rig.seal('segments/a', 'aaa');
  await rig.seal('segments/b', 'bbb');
  await rig.grow('staging/1.log', 'one');
  const replica = await rig.open({ mode: 'async' });
  await replica.settled();
  await inStep(rig);
  await replica.close();

  await rig.remove('segments/a');
  await rig.remove('staging/1.log');
  await rig.seal('segments/c', 'ccc');
  await rig.grow('staging/2.log', 'two');
  await writeFile(join(rig.replicaFolder, 'segments', 'stray'), 'x');
  const again = await rig.open({ mode: 'async' });
  await again.settled();
  await inStep(rig);
  assert.deepEqual(
    [await rig.onReplica('segments/a'), await rig.onReplica('segments/stray'), await rig.onReplica('segments/c')],
    [undefined, undefined, 'ccc'],
  );
});

test('a log stays on the replica until a catalogue is there that was made after the log went', async (t) => {
  const rig = await createReplicaRig(t);
  const replica = await rig.open();
  await rig.append(replica, 'staging/1.log', 'rows');
  await replica.settled();
  replica.fileSealed(await rig.seal('segments/a', 'rows'));
  await rig.remove('staging/1.log');
  replica.removed();
  await eventually('the file is copied', async () => (await rig.onReplica('segments/a')) === 'rows');
  assert.equal(await rig.onReplica('staging/1.log'), 'rows');
  rig.clock.advance(60_000);
  await eventually('the log goes with the next catalogue', async () => (await rig.onReplica('staging/1.log')) === undefined);
  const report = await checkReplica(rig.replicaFolder);
  assert.deepEqual([report.faults, report.files], [[], 2]);
});

test('files and logs follow in async without being asked for', async (t) => {
  const rig = await createReplicaRig(t);
  const replica = await rig.open({ mode: 'async' });
  await rig.append(replica, 'staging/1.log', 'one');
  replica.fileSealed(await rig.seal('segments/a', 'aaa'));
  await eventually('both are there', async () => (await rig.onReplica('staging/1.log')) === 'one' && (await rig.onReplica('segments/a')) === 'aaa');
  for (let at = 0; at < 10_050; at += 1) replica.fileSealed({ path: 'segments/a', bytes: 3, sha256: 'x' });
  await rig.seal('segments/b', 'bbb');
  await replica.settled();
  assert.ok(replica.state().waitingFiles <= 10_000);
  await inStep(rig);
});

for (const mountPoint of [true, false]) {
  test(`a second disk that is not mounted ${mountPoint ? 'leaves an empty folder, which' : 'is missed, and'} stops intake in sync, until it is back`, async (t) => {
    const rig = await createReplicaRig(t);
    const replica = await rig.open();
    await rig.append(replica, 'a.log', 'one');
    await replica.settled();
    const mount = await unmount(t, rig, { mountPoint });
    await assert.rejects(rig.append(replica, 'a.log', 'two'), { code: 'relay.local-workspace.replica-away', message: /Mount it/ });
    assert.equal(replica.state().status, 'away');
    await assert.rejects(rig.append(replica, 'a.log', 'three'), { code: 'relay.local-workspace.replica-away' });
    if (mountPoint) assert.deepEqual(await readdir(rig.replicaFolder), []);
    await mount();
    rig.clock.advance(10_000);
    await replica.settled();
    assert.equal(await rig.onReplica('a.log'), 'onetwothree');
    await rig.append(replica, 'a.log', 'four');
    assert.equal(await rig.onReplica('a.log'), 'onetwothreefour');
    assert.equal(replica.state().status, 'in-step');
    await inStep(rig);
  });
}

test('with go-on data is taken with one copy while the second disk is away, from the start too, and copied when it is back', async (t) => {
  const rig = await createReplicaRig(t);
  const mount = await unmount(t, rig);
  const replica = await rig.open({ whenAway: 'go-on' });
  await rig.append(replica, 'a.log', 'one');
  assert.equal(replica.state().status, 'away');
  await mount();
  rig.clock.advance(10_000);
  await replica.settled();
  assert.equal(await rig.onReplica('a.log'), 'one');
  await inStep(rig);
});

test('a disk that does not answer is away after the wait', async (t) => {
  const rig = await createReplicaRig(t);
  let hangs = false;
  const answers = Promise.withResolvers<void>();
  const disk: Disk = {
    ...realDisk,
    append: async (path) => {
      const file = await realDisk.append(path);
      return { ...file, sync: () => (hangs && path.endsWith('a.log') ? answers.promise : file.sync()) };
    },
  };
  const replica = await rig.open({}, { disk });
  await rig.append(replica, 'a.log', 'one');
  await replica.settled();
  hangs = true;
  const waiting = assert.rejects(rig.append(replica, 'a.log', 'two'), (error: Error) => /away/.test(error.message) && /10 seconds/.test(String(error.cause)));
  await eventually('it waits', () => rig.clock.waits().filter((ms) => ms === 10_000).length > 1);
  rig.clock.advance(10_000);
  await waiting;
  answers.resolve();
  await replica.settled();
  assert.equal(await rig.onReplica('a.log'), 'onetwo');
});

test('a log whose copy went another way, or is too long, is set right when it is opened', async (t) => {
  const rig = await createReplicaRig(t);
  const first = await rig.open();
  await rig.append(first, 'a.log', 'abcdef');
  await first.close();
  await truncate(join(rig.folder, 'a.log'), 3);
  await appendFile(join(rig.folder, 'a.log'), 'DEF');
  await appendFile(join(rig.replicaFolder, 'a.log'), 'ghi');
  const second = await rig.open();
  await rig.append(second, 'a.log', 'G');
  assert.equal(await rig.onReplica('a.log'), 'abcDEFG');
});

test('a verification names what differs, on which disk, and repairs the replica', async (t) => {
  const rig = await createReplicaRig(t);
  for (const name of ['a', 'b', 'c', 'd']) await rig.seal(`segments/${name}`, name.repeat(1_000));
  await rig.grow('staging/1.log', 'rows and rows');
  const replica = await rig.open();
  await replica.settled();
  await writeFile(join(rig.replicaFolder, 'segments/a'), `${'a'.repeat(999)}A`);
  await rm(join(rig.replicaFolder, 'segments/b'));
  await writeFile(join(rig.folder, 'segments/c'), 'damaged');
  await writeFile(join(rig.replicaFolder, 'staging/1.log'), 'rows and');
  await writeFile(join(rig.replicaFolder, 'stray'), 'x');
  const { faults } = await replica.verify({ repair: true });
  assert.deepEqual(
    faults.map(({ fault, path }) => `${fault} ${path}`),
    ['differs segments/a', 'missing segments/b', 'first-differs segments/c', 'behind staging/1.log', 'surplus stray'],
  );
  assert.deepEqual(
    (await replica.verify()).faults.map(({ fault, path }) => `${fault} ${path}`),
    ['first-differs segments/c'],
  );
  assert.equal(await rig.onReplica('segments/c'), 'c'.repeat(1_000));
});

test('a file that is damaged on the first disk is told, keeps its good copy, and holds up nothing else', async (t) => {
  const rig = await createReplicaRig(t);
  await rig.seal('segments/a', 'aaa');
  await writeFile(join(rig.folder, 'segments/a'), 'aXa');
  const replica = await rig.open();
  await rig.append(replica, 'a.log', 'one');
  replica.fileSealed(await rig.seal('segments/b', 'bbb'));
  await replica.settled();
  assert.deepEqual([await rig.onReplica('segments/a'), await rig.onReplica('segments/b'), replica.state().damagedFiles], [undefined, 'bbb', 1]);
});

test('every changed byte of every file of the replica is found', async (t) => {
  const rig = await createReplicaRig(t);
  await rig.seal('segments/a', 'some content');
  await rig.seal('segments/b', 'more');
  const replica = await rig.open();
  await rig.append(replica, 'staging/1.log', 'rows');
  await replica.settled();
  await replica.close();
  for (const [path, content] of [
    ['segments/a', 'some content'],
    ['segments/b', 'more'],
    ['staging/1.log', 'rows'],
  ] as const) {
    for (let at = 0; at < content.length; at += 1) {
      await writeFile(join(rig.replicaFolder, path), `${content.slice(0, at)}#${content.slice(at + 1)}`);
      assert.deepEqual(
        (await compareReplica(rig.source, rig.replicaFolder)).faults.map((fault) => [fault.fault, fault.path]),
        [['differs', path]],
        `${path}, byte ${at}`,
      );
    }
    await writeFile(join(rig.replicaFolder, path), content);
  }
  await inStep(rig);
});

test('a first disk that suddenly has nothing does not empty the replica', async (t) => {
  const rig = await createReplicaRig(t);
  await rig.seal('segments/a', 'aaa');
  const replica = await rig.open();
  await replica.settled();
  await replica.close();
  const empty = {
    ...rig.source,
    files: async () => [],
    logs: async () => [],
    catalogue: { ...rig.source.catalogue, copyTo: async (path: string) => writeFile(path, '').then(() => []) },
  };
  const again = await rig.open({}, { source: empty });
  await again.settled();
  assert.equal(await rig.onReplica('segments/a'), 'aaa');
});

test('links that somebody planted on the second disk are not written through', async (t) => {
  const rig = await createReplicaRig(t);
  const outside = await temporaryFolder(t);
  await rig.seal('segments/a', 'aaa');
  await symlink(outside, join(rig.replicaFolder, 'segments'));
  await symlink(join(outside, 'file'), join(rig.replicaFolder, 'a.log'));
  const replica = await rig.open();
  await assert.rejects(rig.append(replica, 'a.log', 'one'), { code: 'relay.local-workspace.replica-away' });
  await assert.rejects(replica.settled(), { code: 'relay.local-workspace.replica-away' });
  assert.deepEqual(await readdir(outside), []);
});

for (const death of ['kill', 'power-cut'] as const) {
  test(`after a ${death} at any step what was answered is on the replica, and the next start brings it in step`, async (t) => {
    let steps = 0;
    for (let step = 1; steps === 0; step += 1) {
      const rig = await createReplicaRig(t);
      await rig.seal('segments/a', 'aaa');
      const disk = await crashingDisk(step, death);
      const replica = await rig.open({}, { disk });
      let answered = '';
      for (const text of ['one ', 'two ', 'three ']) {
        const isAnswered = await rig.append(replica, 'staging/1.log', text).then(
          () => true,
          () => false,
        );
        if (isAnswered) answered += text;
        replica.fileSealed(await rig.seal(`segments/${text.trim()}`, text));
      }
      await replica.settled().catch(() => {});
      const isWhole = !disk.isDead();
      if (isWhole) steps = disk.steps();
      await disk.bury();
      await replica.close();
      assert.ok((await rig.onReplica('staging/1.log'))?.startsWith(answered) ?? answered === '', `step ${step}`);
      const again = await rig.open();
      await again.settled();
      await inStep(rig);
      assert.equal(await rig.onReplica('staging/1.log'), 'one two three ', `step ${step}`);
      await again.close();
      assert.ok(step < 300);
    }
    assert.ok(steps > 40, `${steps} steps`);
  });
}
