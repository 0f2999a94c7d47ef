import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findRecords } from '../../src/batch/records.ts';

function recordsOf(json: string): string[] | string {
  const found = findRecords(Buffer.from(json));
  if (!found.found) return found.reason;
  const { starts, ends } = found.places;
  return starts.map((start, at) => Buffer.from(json).subarray(start, ends[at]).toString());
}

describe('findRecords', () => {
  it('finds the records of an envelope, wherever its list stands', () => {
    const records = ['{"a":1}', '{"b":"],}\\"{"}', '{"c":[1,{"d":[]}]}'];
    for (const json of [
      `{"DataType":"X","DataItems":[${records.join(',')}]}`,
      ` {"DataItems" : [ ${records.join(' ,\n ')} ] , "DataType":"X", "more": {"DataItems":[1]} } `,
      `\uFEFF{"DataItems":[${records.join(',')}],"IPName":"Y"}`,
      `{"x":[{"DataItems":[1,2]}],"DataItems":[${records.join(',')}]}`,
    ]) {
      assert.deepEqual(recordsOf(json), records, json);
    }
  });

  it('finds those of an array, whatever they are', () => {
    assert.deepEqual(recordsOf('[{"a":"\u00e9\u{1f600}"}, 12345678901234567890, "x", null , [1,2]]'), [
      '{"a":"\u00e9\u{1f600}"}',
      '12345678901234567890',
      '"x"',
      'null',
      '[1,2]',
    ]);
    assert.deepEqual(recordsOf('[]'), []);
  });

  it('takes a record with an error inside for a record', () => {
    assert.deepEqual(recordsOf('[{"a":1},{"a":},{"a":2}]'), ['{"a":1}', '{"a":}', '{"a":2}']);
  });

  it('says why a body has none that can be found', () => {
    for (const [json, reason] of [
      ['', /neither a JSON object nor an array/],
      ['hello', /neither/],
      ['{}', /no DataItems/],
      ['{"DataType":"X"}', /no DataItems/],
      ['{"DataItems":{"a":1}}', /not an array/],
      ['{"DataItems" [1]}', /no value/],
      ['{"DataItems":[{"a":1},', /does not end/],
      ['{"DataItems":[{"a":1}', /does not end/],
      ['{"DataItems":[{"a":"1]}', /does not end/],
      ['{"DataItems":[{"a":1}]', /does not end/],
      ['{"DataItems":[1],"DataItems":[2]}', /does not end/],
      ['{"DataItems":[1]} 2', /does not end/],
      ['[1,,2]', /missing between/],
      ['[1] x', /does not end/],
    ] as const) {
      assert.match(String(recordsOf(json)), reason, json);
    }
  });

  it('is not troubled by blanks', () => {
    const blanks = ' '.repeat(4 * 1024 * 1024);
    assert.deepEqual(recordsOf(`[{"a":1}${blanks},${blanks}{"b":2}${blanks}]`), ['{"a":1}', '{"b":2}']);
  });

  it('is not troubled by depth', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    assert.deepEqual(recordsOf(`[${deep},1]`), [deep, '1']);
  });
});
