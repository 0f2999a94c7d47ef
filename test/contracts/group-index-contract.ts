import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Kind } from '../../src/batch/kind.ts';
import type { GroupIndex, TakenGroup } from '../../src/cache/group-index.ts';
import type { StoredGroup } from '../../src/cache/payload-store.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { START_MS, WORKSPACE } from '../cache/batches.ts';

const FAR_MS = 3_600_000;

/** A stored group of that number. */
export function groupOf(number: number): StoredGroup {
  return { id: `Event-segment.${number}` as GroupId, workspaceId: WORKSPACE, kind: 'Event', batches: 1, bytes: 10, oldestAt: START_MS + number };
}

/** The numbers of all groups that can be taken now, in order. */
export async function takeAll(index: GroupIndex): Promise<number[]> {
  const numbers: number[] = [];
  for (let taken = await index.take(); taken; taken = await index.take()) numbers.push(numberOf(taken.id));
  return numbers;
}

function numberOf(id: GroupId): number {
  return Number(id.slice(id.lastIndexOf('.') + 1));
}

async function mustTake(index: GroupIndex): Promise<TakenGroup> {
  const taken = await index.take();
  assert.ok(taken, 'nothing is due');
  return taken;
}

/** What every group index must do; `makeIndex` gives an empty one, `now` its idea of time. */
export function groupIndexContract(makeIndex: () => Promise<{ readonly index: GroupIndex; readonly now: () => number }>): void {
  it('gives groups in the order in which they were added', async () => {
    const { index } = await makeIndex();
    for (const number of [3, 1, 2]) await index.add(groupOf(number));
    assert.deepEqual(await takeAll(index), [3, 1, 2]);
  });

  it('gives the age of a group with it', async () => {
    const { index } = await makeIndex();
    await index.add(groupOf(7));
    const { id, oldestAt } = await mustTake(index);
    assert.deepEqual({ id, oldestAt }, { id: groupOf(7).id, oldestAt: START_MS + 7 });
  });

  it('adds many in order', async () => {
    const { index } = await makeIndex();
    await index.addAll([]);
    await index.addAll(Array.from({ length: 1_100 }, (_, at) => groupOf(at)));
    assert.equal((await index.ids()).length, 1_100);
    assert.deepEqual([numberOf((await mustTake(index)).id), numberOf((await mustTake(index)).id)], [0, 1]);
  });

  it('takes no notice of a group that is there already, waiting, taken or delayed', async () => {
    const { index, now } = await makeIndex();
    await index.addAll([groupOf(1), groupOf(2), groupOf(3)]);
    const taken = await mustTake(index);
    await index.delay(await mustTake(index), now() + FAR_MS);
    for (const number of [1, 2, 3]) await index.add(groupOf(number));
    await index.addAll([groupOf(1), groupOf(2), groupOf(3)]);
    assert.deepEqual(await takeAll(index), [3]);
    await index.finish(taken);
    assert.deepEqual(await takeAll(index), []);
  });

  it('forgets a finished group, which may then be added again', async () => {
    const { index } = await makeIndex();
    await index.add(groupOf(1));
    await index.finish(await mustTake(index));
    assert.deepEqual(await index.ids(), []);
    await index.add(groupOf(1));
    assert.deepEqual(await takeAll(index), [1]);
  });

  it('gives a group that was put back before all others; of several the last put back', async () => {
    const { index } = await makeIndex();
    await index.addAll([1, 2, 3, 4].map(groupOf));
    const taken = [await mustTake(index), await mustTake(index), await mustTake(index)];
    for (const one of taken.reverse()) await index.putBack(one);
    assert.deepEqual(await takeAll(index), [1, 2, 3, 4]);
  });

  it('gives a delayed group when its time has come, not before', async () => {
    const { index, now } = await makeIndex();
    await index.addAll([groupOf(1), groupOf(2)]);
    await index.delay(await mustTake(index), now() + FAR_MS);
    await index.delay(await mustTake(index), now() - 1);
    assert.deepEqual(await takeAll(index), [2]);
    assert.equal((await index.ids()).length, 2);
  });

  it('brings a delayed group forward as the next one', async () => {
    const { index, now } = await makeIndex();
    await index.addAll([1, 2, 3].map(groupOf));
    await index.delay(await mustTake(index), now() + FAR_MS);
    await index.bringForward(groupOf(1).id);
    assert.deepEqual(await takeAll(index), [1, 2, 3]);
    await index.bringForward(groupOf(1).id);
    await index.bringForward(groupOf(99).id);
    assert.deepEqual(await takeAll(index), []);
  });

  it('names what it knows and what is taken, and releases what nobody works on', async () => {
    const { index } = await makeIndex();
    await index.addAll([1, 2, 3].map(groupOf));
    await mustTake(index);
    await mustTake(index);
    assert.deepEqual((await index.ids()).map(numberOf).sort(), [1, 2, 3]);
    assert.deepEqual((await index.takenIds()).map(numberOf).sort(), [1, 2]);
    await index.release(groupOf(1).id);
    await index.release(groupOf(99).id);
    assert.deepEqual(await takeAll(index), [1, 3]);
  });

  it('does not give a group twice that is released although it was put back, finished or delayed', async () => {
    const { index, now } = await makeIndex();
    await index.addAll([1, 2, 3].map(groupOf));
    await index.delay(await mustTake(index), now() + FAR_MS);
    await index.finish(await mustTake(index));
    await index.putBack(await mustTake(index));
    for (const number of [1, 2, 3]) await index.release(groupOf(number).id);
    assert.deepEqual(await takeAll(index), [3]);
  });

  it('removes a group that waits', async () => {
    const { index } = await makeIndex();
    await index.addAll([groupOf(1), groupOf(2)]);
    await index.remove(groupOf(1).id);
    await index.remove(groupOf(99).id);
    assert.deepEqual(await takeAll(index), [2]);
  });

  it('gives fresh groups before the backlog, and of the backlog the kind first that is dropped last', async () => {
    const { index } = await makeIndex();
    const kindOf = (number: number, kind: Kind): StoredGroup => ({ ...groupOf(number), kind });
    await index.addAll([kindOf(1, 'Performance'), kindOf(2, 'Event'), kindOf(3, 'Alert')], 'backlog');
    await index.add(kindOf(4, 'Event'), 'backlog');
    await index.add(kindOf(5, 'State'), 'backlog');
    await index.add(kindOf(6, 'Performance'));
    assert.deepEqual(await takeAll(index), [6, 3, 2, 4, 5, 1]);
  });

  it('brings the first of the backlog before what is fresh, and says when there is none', async () => {
    const { index } = await makeIndex();
    await index.addAll([groupOf(1), groupOf(2)], 'backlog');
    await index.addAll([groupOf(3), groupOf(4)]);
    assert.equal(await index.bringBacklogForward(), true);
    assert.deepEqual(await takeAll(index), [1, 3, 4, 2]);
    assert.equal(await index.bringBacklogForward(), false);
  });

  it('gives groups that were taken from the backlog and put back before all others, in order', async () => {
    const { index } = await makeIndex();
    await index.addAll([8, 9, 10, 11].map(groupOf), 'backlog');
    const taken = [await mustTake(index), await mustTake(index), await mustTake(index)];
    await index.add(groupOf(12));
    for (const one of taken.reverse()) await index.putBack(one);
    assert.deepEqual(await takeAll(index), [8, 9, 10, 12, 11]);
  });

  it('gives a canary as the next one, once, and does not count it among the groups', async () => {
    const { index } = await makeIndex();
    await index.add(groupOf(1));
    await index.addCanary();
    await index.addCanary();
    assert.deepEqual((await index.ids()).map(numberOf), [1]);
    const canary = await mustTake(index);
    assert.equal(canary.isCanary, true);
    await index.finish(canary);
    const { id, isCanary } = await mustTake(index);
    assert.deepEqual({ id, isCanary }, { id: groupOf(1).id, isCanary: false });
    assert.deepEqual(await takeAll(index), []);
    await index.addCanary();
    assert.equal((await mustTake(index)).isCanary, true);
  });

  it('goes on with what it holds after a new connection was made', async () => {
    const { index } = await makeIndex();
    await index.addAll([groupOf(1), groupOf(2)]);
    const taken = await mustTake(index);
    index.reconnect();
    assert.deepEqual(await takeAll(index), [2]);
    // The old connection went, and with it what was taken by it.
    await index.release(taken.id);
    const again = await mustTake(index);
    assert.equal(again.id, taken.id);
    await index.finish(again);
    assert.deepEqual((await index.ids()).map(numberOf), [2]);
  });

  it('keeps what is taken while it is extended', async () => {
    const { index } = await makeIndex();
    await index.add(groupOf(1));
    const taken = await mustTake(index);
    await index.extend([taken]);
    await index.extend([]);
    await index.finish(taken);
    assert.deepEqual(await index.ids(), []);
  });

  it('counts what it holds by state', async () => {
    const { index, now } = await makeIndex();
    await index.addAll([groupOf(1), groupOf(2), groupOf(3)]);
    await index.addAll([groupOf(4), groupOf(5)], 'backlog');
    await mustTake(index);
    await index.delay(await mustTake(index), now() + FAR_MS);
    assert.deepEqual(await index.counts(), { waiting: 1, prioritized: 2, active: 1, delayed: 1, failed: 0 });
  });
}
