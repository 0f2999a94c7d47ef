import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnType } from '../../../src/local-workspace/tables/column.ts';
import type { Vector } from '../../../src/local-workspace/tables/vector.ts';
import { decodeVector, emptyVector, encodeVector, isText } from '../../../src/local-workspace/tables/vector-codec.ts';
import { concatenate, pick } from '../../../src/local-workspace/tables/vectors.ts';
import { cellOf, textVector } from './store-rig.ts';

const TYPES: readonly ColumnType[] = ['string', 'int', 'long', 'real', 'bool', 'datetime', 'timespan', 'guid', 'dynamic'];

function vectorOf(type: ColumnType, rows: number): Vector {
  if (isText(type))
    return textVector(
      Array.from({ length: rows }, (_, at) => (at % 4 === 3 ? undefined : `"${at % 50}"`)),
      type,
    );
  return { kind: 'number', type, values: Float64Array.from({ length: rows }, (_, at) => (at % 4 === 3 ? Number.NaN : at % 2)) };
}

test('a column of each type comes back as it was, with its type', () => {
  for (const type of TYPES) {
    for (const rows of [0, 1, 10_000]) {
      const vector = vectorOf(type, rows);
      assert.deepEqual(decodeVector({ name: 'c', type }, encodeVector(vector), rows), vector, `${type}, ${rows} rows`);
    }
  }
});

test('bytes that are no packed column are refused', () => {
  const column = { name: 'c', type: 'string' } as const;
  const bytes = encodeVector(vectorOf('string', 10));
  assert.throws(() => decodeVector(column, bytes, 11));
  assert.throws(() => decodeVector(column, bytes.subarray(0, -1), 10));
  assert.throws(() => decodeVector(column, Buffer.from('not packed'), 10));
});

test('columns put one after another have the rows of all, and none where a part has not got the column', () => {
  for (const type of TYPES) {
    const [first, second] = [vectorOf(type, 5), vectorOf(type, 3)];
    const joined = concatenate({ name: 'c', type }, [2, first, 1, second]);
    const cells = (vector: Vector, rows: number): unknown[] => Array.from({ length: rows }, (_, row) => cellOf(vector, row));
    assert.deepEqual(cells(joined, 11), [undefined, undefined, ...cells(first, 5), undefined, ...cells(second, 3)], type);
    assert.equal(joined.type, type);
  }
});

test('a dictionary joined of several holds each text once', () => {
  const joined = concatenate({ name: 'c', type: 'string' }, [textVector(['a', 'b']), textVector(['b', 'c', 'a'])]);
  assert.deepEqual(joined, textVector(['a', 'b', 'b', 'c', 'a']));
});

test('rows that are picked bring the texts along that they have, and no others', () => {
  const vector = textVector(['gone', 'kept', undefined, 'gone', 'kept', 'too']);
  assert.deepEqual(pick(vector, Uint32Array.of(1, 2, 4, 5)), textVector(['kept', undefined, 'kept', 'too']));
  assert.deepEqual(pick(vector, new Uint32Array()), textVector([]));
});

test('a column without a value has none in any row', () => {
  for (const type of TYPES)
    assert.deepEqual(
      [0, 1].map((row) => cellOf(emptyVector({ name: 'c', type }, 2), row)),
      [undefined, undefined],
      type,
    );
});
