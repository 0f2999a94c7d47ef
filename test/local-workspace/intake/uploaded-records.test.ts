import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import type { Upload } from '../../../src/local-workspace/intake/upload.ts';
import { MAX_INFLATED_BYTES, readRecords } from '../../../src/local-workspace/intake/uploaded-records.ts';
import { parseAgentId } from '../../../src/workspace/workspace-id.ts';

const AGENT = parseAgentId(randomUUID());

function upload(body: Buffer | string, more: Partial<Upload> = {}): Upload {
  const content = { shape: 'envelope' } as const;
  return { batchId: 'b', agentId: AGENT, senderId: AGENT, receivedAt: 0, content, encoding: 'identity', body: Buffer.from(body), ...more };
}

async function refusalOf(given: Upload): Promise<[number, string] | undefined> {
  const read = await readRecords(given);
  return read.ok ? undefined : [read.refusal.status, read.refusal.code];
}

test('a body is read in each encoding, with one item or many', async () => {
  const one = '{"EventTime":"t","a":1}';
  const cases = [
    [one, 1],
    [`[${one},${one}]`, 2],
    ['[]', 0],
  ] as const;
  for (const [items, records] of cases) {
    const json = `{"DataType":"X","IPName":"Y","DataItems":${items}}`;
    for (const given of [upload(json), upload(deflateSync(json), { encoding: 'deflate' }), upload(gzipSync(json), { encoding: 'gzip' })]) {
      assert.deepEqual(await readRecords(given), { ok: true, value: { dataType: 'X', solution: 'Y', records } });
    }
  }
});

test('a body that inflates beyond the limit is refused before it fills the memory', async () => {
  const body = gzipSync(Buffer.alloc(MAX_INFLATED_BYTES + 1, ' '));
  assert.deepEqual(await refusalOf(upload(body, { encoding: 'gzip' })), [413, 'RequestTooLarge']);
});

test('names that are no names and bytes that are no text are refused', async () => {
  const cases: [Buffer | string, string][] = [
    ['{"DataType":"","DataItems":[]}', 'MissingDataType'],
    [`{"DataType":"${'x'.repeat(129)}","DataItems":[]}`, 'MissingDataType'],
    ['{"DataType":7,"DataItems":[]}', 'MissingDataType'],
    ['{"DataType":"X","IPName":7,"DataItems":[]}', 'InvalidSolution'],
    ['{"DataType":"X"}', 'InvalidRecords'],
    ['{"DataType":"X","DataItems":[[]]}', 'InvalidRecord'],
    [Buffer.from([0x22, 0xff, 0x22]), 'InvalidJson'],
    ['null', 'InvalidEnvelope'],
  ];
  for (const [body, code] of cases) assert.deepEqual(await refusalOf(upload(body)), [400, code]);
});

test('a body whose compressed bytes were cut short is refused', async () => {
  const body = deflateSync('{"DataType":"X","DataItems":[]}');
  assert.deepEqual(await refusalOf(upload(body.subarray(0, -4), { encoding: 'deflate' })), [400, 'InvalidEncoding']);
});
