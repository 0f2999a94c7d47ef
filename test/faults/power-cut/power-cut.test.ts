import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../../support/seeded.ts';
import { cutOnce, type StoreTrace, traceStore } from '../suite/power-cut.ts';
import { cutPower } from './disk-model.ts';
import type { Operation } from './trace.ts';

const CUTS = 40;
const at = (began: number): { beganAt: number; endedAt: number } => ({ beganAt: began, endedAt: began + 1 });
const ABC: readonly Operation[] = [
  { ...at(10), kind: 'create', path: '/disk/a' },
  { ...at(20), kind: 'write', path: '/disk/a', offset: 0, bytes: Buffer.from('abc') },
  { ...at(30), kind: 'sync', path: '/disk/a' },
  { ...at(40), kind: 'sync', path: '/disk' },
  { ...at(50), kind: 'write', path: '/disk/a', offset: 3, bytes: Buffer.from('def') },
  { ...at(60), kind: 'rename', path: '/disk/a', to: '/disk/b' },
];

/** All that a cut at this moment may leave. */
function outcomes(operations: readonly Operation[], cutAt: number): Set<string> {
  return new Set(Array.from({ length: 400 }, (_, seed) => [...cutPower(operations, '/disk', cutAt, seeded(seed))].map((entry) => entry.join('=')).join(' ')));
}

async function lossesOf(trace: StoreTrace, keep: (operation: Operation) => boolean): Promise<number> {
  const weaker = { ...trace, operations: trace.operations.filter(keep) };
  const random = seeded(3);
  let lost = 0;
  for (let cut = 0; cut < CUTS; cut += 1) {
    const moment = weaker.operations[Math.floor(random() * weaker.operations.length)]?.endedAt ?? 0;
    lost += (await cutOnce(weaker, moment, random)).lost;
  }
  return lost;
}

describe('the model of a disk that loses its power', () => {
  it('may lose a file whose folder was not synced, and its content', () => {
    assert.ok(outcomes(ABC, 35).has(''));
    assert.ok(outcomes(ABC, 25).has('a='));
    assert.ok(outcomes(ABC, 35).has('a=abc'));
    assert.ok(!outcomes(ABC, 35).has('a='), 'its content was synced');
  });

  it('keeps what was synced, and does not count a sync that was not over', () => {
    assert.deepEqual(outcomes(ABC, 45), new Set(['a=abc']));
    assert.ok(outcomes(ABC, 40).has(''));
  });

  it('may keep any part of what came later, and either name of a rename but not both', () => {
    const left = outcomes(ABC, 70);
    for (const one of ['a=abc', 'a=abcdef', 'b=abc', 'b=abcdef']) assert.ok(left.has(one), one);
    for (const one of left) assert.match(one, /^[ab]=abc[^=]{0,3}$/s);
  });
});

describe('a power cut under the segment store', () => {
  it('loses nothing that was acknowledged; without one kind of its syncs it would, and this test would see it', async (t) => {
    await using trace = await traceStore(1, 25);
    assert.equal(await lossesOf(trace, () => true), 0);
    const isSync = ({ kind }: Operation): boolean => kind === 'sync';
    const isOfSegment = (operation: Operation): boolean => 'path' in operation && operation.path.endsWith('.segment');
    const withoutData = await lossesOf(trace, (operation) => !(isSync(operation) && isOfSegment(operation)));
    const withoutFolders = await lossesOf(trace, (operation) => !(isSync(operation) && !isOfSegment(operation)));
    t.diagnostic(`${withoutData} lost without the segments' syncs, ${withoutFolders} without the folders'`);
    assert.ok(withoutData > 0);
    assert.ok(withoutFolders > 0);
  });
});
