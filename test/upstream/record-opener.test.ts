import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRecordOpener, type OpenedRecords } from '../../src/upstream/record-opener.ts';
import { batchOf } from '../cache/batches.ts';

const MAX_BYTES = 1024 * 1024;

/** A thread that ends when it meets a body of the text `end`. */
const FRAGILE = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ task, body }) => {
      if (task === 'open' && Buffer.from(body).toString() === 'end') process.exit(1);
      parentPort.postMessage(task === 'part' ? { reply: 'unreadable', reason: 'the body is not open' } : { reply: 'opened', records: 2 });
    });`)}`,
);

async function open(opener: ReturnType<typeof createRecordOpener>, text: string): Promise<OpenedRecords> {
  const opened = await opener.open(batchOf(text));
  assert.ok(!('unreadable' in opened), JSON.stringify(opened));
  return opened;
}

describe('the opener of bodies', () => {
  it('keeps several open at the same time, and leaves the batches as they are', async () => {
    const opener = createRecordOpener(MAX_BYTES);
    const batches = ['[1,2,3]', '{"DataItems":["a","b"]}'].map((text) => batchOf(text));
    const opened = await Promise.all(batches.map((batch) => opener.open(batch)));
    const [list, envelope] = opened as OpenedRecords[];
    assert.deepEqual([list?.records, envelope?.records], [3, 2]);
    const parts = await Promise.all([list?.part(1, 3), envelope?.part(0, 1), list?.part(0, 1)]);
    assert.deepEqual(parts.map(String), ['[2,3]', '{"DataItems":["a"]}', '[1]']);
    assert.deepEqual(
      batches.map(({ body }) => body.toString()),
      ['[1,2,3]', '{"DataItems":["a","b"]}'],
    );
    list?.close();
    await assert.rejects(list?.part(0, 1) ?? Promise.resolve(), { code: 'relay.upstream.thread-ended' });
    await opener.close();
  });

  it('opens a body in a new thread when another one has ended the first, and gives up one that ends it twice', async () => {
    const opener = createRecordOpener(MAX_BYTES, FRAGILE);
    const before = await open(opener, 'good');
    const [bad, good] = await Promise.all([opener.open(batchOf('end')), opener.open(batchOf('good'))]);
    assert.deepEqual(bad, { unreadable: 'opening it ended the thread that opens batches' });
    assert.equal('records' in good && good.records, 2);
    await assert.rejects(before.part(0, 1), { code: 'relay.upstream.thread-ended' });
    before.close();
    await opener.close();
    await assert.rejects(opener.open(batchOf('good')), { code: 'relay.upstream.thread-ended' });
    await opener.close();
  });
});
