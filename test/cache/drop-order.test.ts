import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { KINDS, type Kind } from '../../src/batch/kind.ts';
import { chooseDrops } from '../../src/cache/drop-order.ts';
import type { StoredGroup } from '../../src/cache/payload-store.ts';
import { countRecords } from '../../src/cache/record-count.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { batchOf, START_MS, WORKSPACE } from './batches.ts';

type Held = StoredGroup & { readonly storedBytes: number };

function held(kind: Kind, number: number, storedBytes = 100): Held {
  return { id: `${kind}.${number}` as GroupId, workspaceId: WORKSPACE, kind, batches: 1, bytes: 50, oldestAt: START_MS + number, storedBytes };
}

function choose(kind: Kind, bytesNeeded: number, groups: readonly Held[], more: { order?: readonly Kind[]; busy?: string } = {}): string[] | undefined {
  return chooseDrops({
    order: more.order ?? KINDS,
    kind,
    bytesNeeded,
    groupsOf: (wanted) => groups.filter((group) => group.kind === wanted),
    mayGo: ({ id }) => id !== more.busy,
  })?.map(({ id }) => id);
}

describe('what a full cache drops', () => {
  const all = KINDS.flatMap((kind) => [held(kind, 1), held(kind, 2)]);

  it('is the lowest kind first, the oldest of it first, and no more than is needed', () => {
    assert.deepEqual(choose('Alert', 1, all), ['Performance.1']);
    assert.deepEqual(choose('Alert', 100, all), ['Performance.1']);
    assert.deepEqual(choose('Alert', 101, all), ['Performance.1', 'Performance.2']);
    assert.deepEqual(choose('State', 350, all), ['Performance.1', 'Performance.2', 'Metadata.1', 'Metadata.2']);
  });

  it('is never of the same kind or a higher one', () => {
    assert.equal(choose('Performance', 1, all), undefined);
    assert.deepEqual(choose('Metadata', 200, all), ['Performance.1', 'Performance.2']);
    assert.equal(choose('Metadata', 201, all), undefined, 'nothing goes when all of it would not be enough');
  });

  it('is never in flight upstream', () => {
    assert.deepEqual(choose('Alert', 100, all, { busy: 'Performance.1' }), ['Performance.2']);
    assert.equal(choose('Metadata', 200, all, { busy: 'Performance.1' }), undefined);
  });

  it('follows the order given', () => {
    const order: readonly Kind[] = ['Alert', 'Event', 'Configuration', 'State', 'Metadata', 'Performance'];
    assert.deepEqual(choose('Performance', 250, all, { order }), ['Alert.1', 'Alert.2', 'Event.1']);
    assert.equal(choose('Alert', 1, all, { order }), undefined);
  });
});

describe('countRecords', () => {
  const envelope = (items: unknown): string => JSON.stringify({ DataType: 'X', IPName: 'Y', DataItems: items });
  const cases: readonly (readonly [string, Buffer, 'identity' | 'deflate' | 'gzip', number | undefined])[] = [
    ['an envelope', Buffer.from(envelope([1, 2, 3])), 'identity', 3],
    ['a deflated envelope', deflateSync(envelope([{}, {}])), 'deflate', 2],
    ['a gzipped array of custom records', gzipSync('[{},{},{},{}]'), 'gzip', 4],
    ['an envelope with one object', Buffer.from(envelope({ Component: 'npmd' })), 'identity', 1],
    ['an envelope of nothing', Buffer.from(envelope([])), 'identity', 0],
    ['no JSON', Buffer.from('x'), 'identity', undefined],
    ['null', Buffer.from('null'), 'identity', undefined],
    ['what is not deflated though it says so', Buffer.from('[]'), 'deflate', undefined],
    ['an inflate bomb', deflateSync(Buffer.alloc(64 * 1024 * 1024, '[')), 'deflate', undefined],
  ];
  for (const [what, body, encoding, expected] of cases) {
    it(`finds ${expected ?? 'no count'} in ${what}`, async () => {
      const { origin } = batchOf('');
      assert.equal(await countRecords({ body, origin: { ...origin, encoding } }), expected);
    });
  }
});
