import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { Batch, ContentEncoding } from '../../src/batch/batch.ts';
import { partId, readBatchId } from '../../src/batch/batch-id.ts';
import type { Split, Verdict } from '../../src/batch/verdict.ts';
import { silentLogger } from '../../src/logger.ts';
import { createRecordOpener } from '../../src/upstream/record-opener.ts';
import { createSplittingTransport } from '../../src/upstream/splitting.ts';
import type { Transport } from '../../src/upstream/transport.ts';
import { batchOf, START_MS } from '../cache/batches.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const AWAY: Verdict = { outcome: 'retry', scope: 'workspace', reason: 'connect ECONNREFUSED' };
const SIGNAL = new AbortController().signal;

interface Rig extends AsyncDisposable {
  readonly transport: Transport;
  readonly clock: ManualClock;
  /** What arrived, record by record. */
  readonly records: string[];
  readonly offered: Batch[];
  /** Length of each part, as it was told. */
  readonly partBytes: number[];
  /** Records with this text are refused with 400. */
  poison: string | undefined;
  /** Answers that come instead, by the number of the request. */
  readonly answers: Map<number, Verdict>;
  /** Called with the number of each request. */
  onOffer: (request: number) => void;
}

function rigWith({ maxBytes = 16 * 1024 * 1024, chunkBytes = Number.POSITIVE_INFINITY } = {}): Rig {
  const opener = createRecordOpener(maxBytes);
  const clock = createManualClock(START_MS);
  const offered: Batch[] = [];
  const records: string[] = [];
  const answers: Rig['answers'] = new Map();
  const partBytes: number[] = [];
  const take = (batch: Batch): Verdict => {
    offered.push(batch);
    rig.onOffer(offered.length);
    const told = answers.get(offered.length);
    if (told) return told;
    if (batch.body.length > chunkBytes) return { outcome: 'refused', status: 413, answer: 'too large' };
    const text = decode(batch);
    if (rig.poison !== undefined && text.includes(rig.poison)) return { outcome: 'refused', status: 400, answer: 'no such field' };
    records.push(...itemsOf(text));
    return { outcome: 'delivered' };
  };
  const rig: Rig = {
    transport: createSplittingTransport({
      transport: { offer: async (batches) => batches.map(take), close: async () => {} },
      opener,
      clock,
      log: silentLogger,
      onPart: (bytes) => void partBytes.push(bytes),
    }),
    clock,
    records,
    offered,
    answers,
    poison: undefined,
    onOffer: () => {},
    partBytes,
    [Symbol.asyncDispose]: () => opener.close(),
  };
  return rig;
}

function decode({ body, origin: { encoding } }: Batch): string {
  if (encoding === 'deflate') return inflateSync(body).toString();
  return (encoding === 'gzip' ? gunzipSync(body) : body).toString();
}

function itemsOf(text: string): string[] {
  const value = JSON.parse(text) as { DataItems: unknown[] } | unknown[];
  return (Array.isArray(value) ? value : value.DataItems).map((item) => JSON.stringify(item));
}

function coded(text: string, encoding: ContentEncoding): Batch {
  const body = encoding === 'deflate' ? deflateSync(text) : encoding === 'gzip' ? gzipSync(text) : Buffer.from(text);
  return batchOf('', { body, origin: { protocol: 'operational-data', service: 'operational-data', encoding, headers: { 'x-ms-azureregion': 'OnPremise' } } });
}

function envelope(count: number, bad: readonly number[] = [], encoding: ContentEncoding = 'deflate'): Batch {
  const items = Array.from({ length: count }, (_, at) => ({ Number: at, Message: bad.includes(at) ? 'POISON' : 'fine' }));
  return coded(JSON.stringify({ DataType: 'A_BLOB', IPName: 'LogManagement', DataItems: items }), encoding);
}

async function offerSplit(rig: Rig, batch: Batch): Promise<Split> {
  const [verdict] = await rig.transport.offer([batch], SIGNAL);
  assert.equal(verdict?.outcome, 'split', JSON.stringify(verdict));
  return verdict as Split;
}

function numbers(records: readonly string[]): number[] {
  return records.map((record) => (JSON.parse(record) as { Number: number }).Number);
}

describe('a transport that splits', () => {
  for (const encoding of ['deflate', 'gzip', 'identity'] as const) {
    it(`delivers the good records of a refused batch and sets the bad ones apart (${encoding})`, async () => {
      await using rig = rigWith();
      rig.poison = 'POISON';
      const batch = envelope(100, [3, 50, 51], encoding);
      const { deliveredRecords, refused } = await offerSplit(rig, batch);
      assert.equal(deliveredRecords, 97);
      const [, ...parts] = rig.offered;
      assert.deepEqual(
        rig.partBytes,
        parts.map(({ body }) => body.length),
      );
      assert.deepEqual(
        numbers(rig.records),
        Array.from({ length: 100 }, (_, at) => at).filter((at) => ![3, 50, 51].includes(at)),
      );
      assert.deepEqual(
        refused.map(({ batch: part, records, status, answer }) => [...numbers(itemsOf(decode(part))), records, status, answer]),
        [3, 50, 51].map((at) => [at, 1, 400, 'no such field']),
      );
      assert.deepEqual(
        refused.map(({ batch: part }) => [part.id, part.agentId, part.origin.headers]),
        [3, 50, 51].map((at) => [
          partId(batch.id, at, at + 1),
          batch.agentId,
          { 'x-ms-azureregion': 'OnPremise', 'x-relay-batch-part': `${batch.id} ${at + 1}-${at + 1}` },
        ]),
      );
    });
  }

  it('finds three bad records among ten thousand in a few dozen requests', async (t) => {
    await using rig = rigWith();
    rig.poison = 'POISON';
    const { deliveredRecords, refused } = await offerSplit(rig, envelope(10_000, [17, 4_711, 9_999]));
    t.diagnostic(`${rig.offered.length} requests`);
    assert.deepEqual([deliveredRecords, refused.length, rig.records.length], [9_997, 3, 9_997]);
    assert.ok(rig.offered.length <= 60, `${rig.offered.length} requests`);
  });

  it('leaves the bytes of a record as they came', async () => {
    await using rig = rigWith();
    rig.poison = 'POISON';
    const texts: string[] = [];
    const record = '{ "Big":12345678901234567890, "One":1.0, "Text":"\\u00e9" }';
    await offerSplit(rig, coded(`[${record},"POISON"]`, 'identity'));
    texts.push(...rig.offered.map(decode));
    assert.equal(texts[1], `[${record}]`);
  });

  it('gives each part an id of its own, the same one whenever it is made', async () => {
    await using rig = rigWith();
    rig.poison = 'POISON';
    await offerSplit(rig, envelope(64, [20]));
    const ids = rig.offered.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => readBatchId(id) === id));
  });

  it('goes on where it was when the workspace went away in the middle, and sends nothing twice', async () => {
    await using rig = rigWith();
    rig.poison = 'POISON';
    rig.answers.set(5, AWAY);
    const batch = envelope(100, [10, 60]);
    assert.deepEqual(await rig.transport.offer([batch], SIGNAL), [AWAY]);
    const before = rig.offered.length;
    const { deliveredRecords, refused } = await offerSplit(rig, batch);
    assert.deepEqual([deliveredRecords, refused.length], [98, 2]);
    assert.equal(new Set(rig.records).size, rig.records.length);
    assert.notEqual(rig.offered[before]?.id, batch.id, 'the whole is not offered again');
    assert.deepEqual(await offerSplit(rig, batch), { outcome: 'split', deliveredRecords, refused }, 'nor when its dead letters could not be written');
    assert.equal(rig.records.length, 98);
  });

  it('stops for now when it takes long, and goes on with the next try', async () => {
    await using rig = rigWith();
    rig.poison = 'POISON';
    rig.onOffer = (request) => {
      if (request % 6 === 0) rig.clock.advance(60_000);
    };
    const batches = [envelope(100, [10, 60]), envelope(100, [20, 70])];
    const isDone = (verdicts: readonly Verdict[]): boolean => verdicts.every(({ outcome }) => outcome === 'split');
    let verdicts = await rig.transport.offer(batches, SIGNAL);
    assert.deepEqual(
      verdicts.map((verdict) => verdict.outcome === 'retry' && verdict.scope),
      ['batch', 'batch'],
    );
    for (let tries = 0; tries < 20 && !isDone(verdicts); tries += 1) verdicts = await rig.transport.offer(batches, SIGNAL);
    assert.ok(isDone(verdicts));
    assert.equal(rig.records.length, 196);
  });

  it('takes other bytes of the same id, and the same bytes of another time, for another batch', async () => {
    await using rig = rigWith();
    rig.poison = 'POISON';
    const batch = envelope(10, [1]);
    await offerSplit(rig, batch);
    rig.poison = undefined;
    for (const other of [
      { ...envelope(20, [1]), id: batch.id },
      { ...batch, receivedAt: batch.receivedAt + 1 },
    ]) {
      assert.deepEqual(await rig.transport.offer([other], SIGNAL), [{ outcome: 'delivered' }]);
    }
  });

  it('splits what is too large into parts that are taken', async () => {
    await using rig = rigWith({ chunkBytes: 1_000 });
    const { deliveredRecords, refused } = await offerSplit(rig, envelope(200, [], 'identity'));
    assert.deepEqual([deliveredRecords, refused, new Set(rig.records).size], [200, [], 200]);
  });

  it('keeps a batch whole that cannot be opened, and says why', async () => {
    await using rig = rigWith({ maxBytes: 10_000 });
    for (const [batch, why] of [
      [coded('hello', 'identity'), /neither a JSON object nor an array/],
      [{ ...envelope(5), body: Buffer.from('no deflate') }, /incorrect header check/],
      [envelope(10_000), /Cannot create a Buffer larger|buffer/i],
    ] as const) {
      rig.answers.set(rig.offered.length + 1, { outcome: 'refused', status: 400, answer: 'bad' });
      const [verdict] = await rig.transport.offer([batch], SIGNAL);
      assert.equal(verdict?.outcome, 'refused');
      assert.match((verdict as { answer: string }).answer, why);
    }
    assert.deepEqual(rig.partBytes, []);
  });

  it('does not open a batch of one record, or one refused for what all records share', async () => {
    await using rig = rigWith();
    const bad: Verdict = { outcome: 'refused', status: 400, answer: 'bad' };
    const encoding: Verdict = { outcome: 'refused', status: 415, answer: 'encoding' };
    rig.answers.set(1, bad).set(2, encoding);
    assert.deepEqual(await rig.transport.offer([envelope(1), envelope(9)], SIGNAL), [bad, encoding]);
    assert.equal(rig.offered.length, 2);
  });

  it('splits several batches of a group, and leaves the others alone', async () => {
    await using rig = rigWith();
    rig.poison = 'POISON';
    const verdicts = await rig.transport.offer([envelope(10, [1]), envelope(10), envelope(10, [2]), envelope(10, [3]), envelope(10, [4])], SIGNAL);
    assert.deepEqual(
      verdicts.map(({ outcome }) => outcome),
      ['split', 'delivered', 'split', 'split', 'split'],
    );
    assert.equal(rig.records.length, 46);
  });

  it('tries a batch again later when the relay stops, and condemns nothing', async () => {
    const rig = rigWith();
    rig.poison = 'POISON';
    await rig[Symbol.asyncDispose]();
    const [verdict] = await rig.transport.offer([envelope(10, [1])], SIGNAL);
    assert.deepEqual(verdict, { outcome: 'retry', scope: 'batch', reason: 'The relay is stopping.' });
  });
});
