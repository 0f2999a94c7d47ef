import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { type BodyHead, readBodyHead } from '../../src/intake/body-head.ts';
import { createJsonHead } from '../../src/intake/json-head.ts';

const MAX = 16 * 1024 * 1024;

const read = (dataType: string, solution: string): BodyHead => ({ outcome: 'read', dataType, solution });

const BODIES: readonly (readonly [what: string, text: string, head: BodyHead])[] = [
  ['an envelope', '{"DataType":"A","IPName":"B","DataItems":[]}', read('A', 'B')],
  ['blanks and a byte order mark', '\ufeff \n{ "DataType" :\t"A" , "IPName" : "B" }', read('A', 'B')],
  ['names behind the items', '{"DataItems":[{"DataType":"X","IPName":"Y"}],"IPName":"B","DataType":"A"}', read('A', 'B')],
  ['keys that stand as values', '{"a":"DataType","b":"IPName","DataType":"A","IPName":"B"}', read('A', 'B')],
  ['escaped quotes and backslashes', '{"a\\"b":"\\\\","DataType":"A\\u0042","IPName":"B"}', read('AB', 'B')],
  ['brackets within text', '{"a":"}]{[","DataType":"A","IPName":"B"}', read('A', 'B')],
  ['the first of two', '{"DataType":"A","DataType":"C","IPName":"B"}', read('A', 'B')],
  ['no solution', '{"DataType":"A","DataItems":[]}', read('A', '')],
  ['a solution that is no name', '{"DataType":"A","IPName":"b\\u0007"}', read('A', '')],
  ['a data type that is no name', '{"DataType":"A\\n","IPName":"B"}', { outcome: 'unreadable', reason: 'no-data-type' }],
  ['a data type of 129 letters', `{"DataType":"${'A'.repeat(129)}","IPName":"B"}`, { outcome: 'unreadable', reason: 'no-data-type' }],
  ['a data type of 1 MB', `{"DataType":"${'A'.repeat(1_000_000)}","IPName":"B"}`, { outcome: 'unreadable', reason: 'no-data-type' }],
  ['an object that does not end', '{"a":[', { outcome: 'unreadable', reason: 'no-data-type' }],
];

describe('readBodyHead', () => {
  for (const [what, text, head] of BODIES) {
    it(`reads ${what}, however the body is coded`, async () => {
      assert.deepEqual(await readBodyHead(Buffer.from(text), 'identity', MAX), head);
      assert.deepEqual(await readBodyHead(deflateSync(text), 'deflate', MAX), head);
      assert.deepEqual(await readBodyHead(gzipSync(text), 'gzip', MAX), head);
    });
  }

  it('takes no more than the limit, inflated, of an honest body that does not compress', async () => {
    const text = `{"DataItems":"${Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64')}","DataType":"A","IPName":"B"}`;
    assert.deepEqual(await readBodyHead(deflateSync(text), 'deflate', text.length), read('A', 'B'));
    assert.deepEqual(await readBodyHead(deflateSync(text), 'deflate', text.length / 2), { outcome: 'too-large' });
  });

  it('calls a stream that breaks off before the names are found not deflate', async () => {
    const items = Array.from({ length: 2_000 }, (_, at) => `{"Message":"${at * 7919}"}`).join(',');
    const whole = deflateSync(`{"DataItems":[${items}],"DataType":"A","IPName":"B"}`);
    assert.deepEqual(await readBodyHead(whole.subarray(0, whole.length / 2), 'deflate', MAX), { outcome: 'unreadable', reason: 'not-deflate' });
  });
});

describe('createJsonHead', () => {
  it('finds the same in one chunk and byte by byte', () => {
    const text = Buffer.from('{"x":{"DataType":"no"},"DataType":"Aé","IPName":"B"}');
    const head = createJsonHead(['DataType', 'IPName']);
    const states = [...text].map((byte) => head.feed(Uint8Array.of(byte)));
    assert.deepEqual([states.filter((state) => state === 'found').length > 0, head.value('DataType'), head.value('IPName')], [true, 'Aé', 'B']);
  });
});
