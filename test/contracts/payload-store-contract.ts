import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import type { PayloadStore, StoredMember } from '../../src/cache/payload-store.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { batchOf, OTHER, START_MS, textsOf, WORKSPACE } from '../cache/batches.ts';
import { seeded } from '../support/seeded.ts';

/** One kind of store under test, with what it keeps its data in. */
export interface PayloadStoreRig extends AsyncDisposable {
  /** Opens the store: empty at first, afterwards on what the one before left. The one before was closed. */
  open(): Promise<PayloadStore>;
}

/** The batches of members; fails when one cannot be read. */
export function batchesOf(members: readonly StoredMember[] | undefined): Batch[] {
  assert.ok(members, 'the store has no such group');
  return members.map(({ content }) => {
    assert.ok(content.readable, content.readable ? '' : content.message);
    return content.batch;
  });
}

/** What every payload store must do. `withoutMemory` makes one that reads its medium each time. */
export function payloadStoreContract(name: string, makeRig: (how: { readonly withoutMemory: boolean }) => Promise<PayloadStoreRig>): void {
  for (const withoutMemory of [false, true]) {
    describe(`${name}, ${withoutMemory ? 'reading what it stored' : 'with what was just written in memory'}`, () => contract(() => makeRig({ withoutMemory })));
  }
}

function contract(makeRig: () => Promise<PayloadStoreRig>): void {
  it('gives back exactly the batches that were stored', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const batches = [
      batchOf('one'),
      batchOf(''),
      batchOf('drei 😀', { dataType: 'Ä', origin: { ...batchOf('').origin, encoding: 'gzip', headers: { a: 'b' } } }),
    ];
    const group = await store.append(batches);
    assert.deepEqual(batchesOf(await store.read(group.id)), batches);
    await store.close();
  });

  it('tells of a group what the index needs to know', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const group = await store.append([batchOf('four', { receivedAt: START_MS + 5 }), batchOf('fifty', { receivedAt: START_MS + 2 })]);
    const { id: _, ...facts } = group;
    const { workspaceId, kind, batches, bytes, oldestAt } = facts;
    assert.deepEqual({ workspaceId, kind, batches, bytes, oldestAt }, { workspaceId: WORKSPACE, kind: 'Event', batches: 2, bytes: 9, oldestAt: START_MS + 2 });
    await store.close();
  });

  it('gives every group an id of its own, over openings too', async () => {
    await using rig = await makeRig();
    const ids: GroupId[] = [];
    for (let opening = 0; opening < 3; opening += 1) {
      const store = await rig.open();
      for (let at = 0; at < 5; at += 1) ids.push((await store.append([batchOf('x')])).id);
      await store.close();
    }
    assert.equal(new Set(ids).size, 15);
  });

  it('keeps groups apart that are stored at the same moment', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const stored = await Promise.all(Array.from({ length: 40 }, (_, at) => store.append([batchOf(`${at} `.repeat(at + 1))])));
    for (const [at, group] of stored.entries()) assert.deepEqual(textsOf(batchesOf(await store.read(group.id))), [`${at} `.repeat(at + 1)]);
    await store.close();
    const again = await rig.open();
    for (const [at, group] of stored.entries()) assert.deepEqual(textsOf(batchesOf(await again.read(group.id))), [`${at} `.repeat(at + 1)]);
    await again.close();
  });

  it('refuses a group of nothing', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    await assert.rejects(store.append([]), { code: 'relay.cache.empty-group' });
    await store.close();
  });

  it('leaves out members that are done, and forgets a group with its last one', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const { id } = await store.append([batchOf('a'), batchOf('b'), batchOf('c')]);
    store.markDone(id, [1]);
    store.markDone(id, [1]);
    assert.deepEqual(
      (await store.read(id))?.map(({ position }) => position),
      [0, 2],
    );
    store.markDone(id, [0, 2]);
    assert.equal(await store.read(id), undefined);
    assert.equal(store.has(id), false);
    await store.close();
  });

  it('takes no notice of members that a group does not have, nor of groups that it does not know', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const { id } = await store.append([batchOf('a')]);
    store.markDone(id, [1, 99, -1]);
    store.markDone('Event-nobody.1' as GroupId, [0]);
    store.withdraw('Event-nobody.1' as GroupId);
    assert.deepEqual(store.cached(WORKSPACE, 'Event'), { batches: 1, bytes: 1 });
    assert.equal(store.has(id), true);
    await store.close();
  });

  it('forgets a group that is withdrawn', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const { id } = await store.append([batchOf('a'), batchOf('b')]);
    store.withdraw(id);
    assert.equal(store.has(id), false);
    assert.deepEqual(store.cached(WORKSPACE, 'Event'), { batches: 0, bytes: 0 });
    await store.close();
  });

  it('counts what is stored and not done, by workspace and kind, at every moment', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const random = seeded(11);
    const kinds = ['Event', 'Performance'] as const;
    const expected = new Map<string, { batches: number; bytes: number }>();
    const open: { id: GroupId; key: string; left: Map<number, number> }[] = [];
    for (let step = 0; step < 200; step += 1) {
      const workspaceId = random() < 0.5 ? WORKSPACE : OTHER;
      const kind = random() < 0.5 ? kinds[0] : kinds[1];
      const key = `${workspaceId} ${kind}`;
      const amount = (of: string): { batches: number; bytes: number } => expected.get(of) ?? { batches: 0, bytes: 0 };
      if (random() < 0.5 || open.length === 0) {
        const batches = Array.from({ length: 1 + Math.floor(random() * 4) }, () => batchOf('x'.repeat(Math.floor(random() * 50)), { workspaceId, kind }));
        const group = await store.append(batches);
        open.push({ id: group.id, key, left: new Map(batches.map((batch, at) => [at, batch.body.length])) });
        expected.set(key, { batches: amount(key).batches + batches.length, bytes: amount(key).bytes + group.bytes });
      } else {
        const at = Math.floor(random() * open.length);
        const group = open[at];
        const [position = 0, bytes = 0] = [...(group?.left ?? [])][0] ?? [];
        assert.ok(group);
        store.markDone(group.id, [position]);
        group.left.delete(position);
        expected.set(group.key, { batches: amount(group.key).batches - 1, bytes: amount(group.key).bytes - bytes });
        if (group.left.size === 0) open.splice(at, 1);
      }
      for (const whose of [WORKSPACE, OTHER]) for (const each of kinds) assert.deepEqual(store.cached(whose, each), amount(`${whose} ${each}`));
      assert.equal(store.groups(WORKSPACE) + store.groups(OTHER), open.length);
    }
    await store.close();
  });

  it('lists what is not done, the oldest first, for one workspace only', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const at = async (ms: number, more: Partial<Batch> = {}): Promise<GroupId> =>
      (await store.append([batchOf('x', { receivedAt: START_MS + ms, ...more })])).id;
    const first = await at(1);
    const third = await at(30);
    const second = await at(20, { kind: 'Alert' });
    await at(0, { workspaceId: OTHER });
    assert.deepEqual(
      store.outstanding(WORKSPACE).map(({ id }) => id),
      [first, second, third],
    );
    assert.equal(store.oldestAt(WORKSPACE), START_MS + 1);
    store.withdraw(first);
    assert.equal(store.oldestAt(WORKSPACE), START_MS + 20);
    store.withdraw(second);
    store.withdraw(third);
    assert.equal(store.oldestAt(WORKSPACE), undefined);
    assert.deepEqual(store.outstanding(WORKSPACE), []);
    await store.close();
  });

  it('gives the groups of one workspace and kind in the order in which they came, with the bytes each takes', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const one = await store.append([batchOf('x'.repeat(500))]);
    await store.append([batchOf('of another kind', { kind: 'Alert' })]);
    await store.append([batchOf('of another workspace', { workspaceId: OTHER })]);
    const two = await store.append([batchOf('x', { receivedAt: START_MS - 1 })]);
    const before = store.usedBytes(WORKSPACE);
    const [first, second, ...more] = [...store.groupsOf(WORKSPACE, 'Event')];
    assert.deepEqual([first?.id, second?.id, more], [one.id, two.id, []]);
    store.withdraw(one.id);
    assert.equal(before - store.usedBytes(WORKSPACE), first?.storedBytes);
    assert.deepEqual(
      [...store.groupsOf(WORKSPACE, 'Event')].map(({ id }) => id),
      [two.id],
    );
    await store.close();
  });

  it('uses at least the bytes it keeps, and none when all is done', async () => {
    await using rig = await makeRig();
    const store = await rig.open();
    const group = await store.append([batchOf('x'.repeat(1_000))]);
    const other = await store.append([batchOf('x'.repeat(500), { workspaceId: OTHER })]);
    assert.ok(store.usedBytes(WORKSPACE) >= 1_000 && store.usedBytes(OTHER) >= 500);
    assert.equal(store.usedBytes(), store.usedBytes(WORKSPACE) + store.usedBytes(OTHER));
    store.withdraw(group.id);
    store.withdraw(other.id);
    assert.equal(store.usedBytes(), 0);
    await store.close();
  });

  it('holds after an opening what it held before: members, counts, order', async () => {
    await using rig = await makeRig();
    const before = await rig.open();
    const one = await before.append([batchOf('a', { receivedAt: START_MS + 9 }), batchOf('bb'), batchOf('ccc')]);
    const two = await before.append([batchOf('dddd', { kind: 'Alert', receivedAt: START_MS + 5 })]);
    const gone = await before.append([batchOf('e')]);
    before.markDone(one.id, [1]);
    before.markDone(gone.id, [0]);
    const used = before.usedBytes();
    await before.close();

    const after = await rig.open();
    assert.equal(after.has(gone.id), false, 'a group that is done does not come back');
    assert.deepEqual(textsOf(batchesOf(await after.read(one.id))), ['a', 'ccc']);
    assert.deepEqual(after.cached(WORKSPACE, 'Event'), { batches: 2, bytes: 4 });
    assert.deepEqual(after.cached(WORKSPACE, 'Alert'), { batches: 1, bytes: 4 });
    assert.deepEqual(
      after.outstanding(WORKSPACE).map(({ id }) => id),
      [one.id, two.id],
    );
    assert.equal(after.oldestAt(WORKSPACE), START_MS);
    assert.equal(after.usedBytes(), used);
    await after.close();
  });
}
