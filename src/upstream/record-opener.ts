/**
 * Opens bodies in one thread of its own, which is started when it is first needed. A body that ends the thread, for want of memory, cannot be
 * opened; the next one gets a new thread.
 */
import { Worker } from 'node:worker_threads';
import type { Batch } from '../batch/batch.ts';
import { RelayError } from '../errors.ts';
import type { RecordReply, RecordTask } from './record-task.ts';

const THREAD = new URL('./record-thread.ts', import.meta.url);

export interface RecordOpener {
  /** Opens a batch's body, or says why it cannot be. */
  open(batch: Batch): Promise<OpenedRecords | { readonly unreadable: string }>;
  /** Ends the thread; bodies that are open are closed. Safe to call twice. */
  close(): Promise<void>;
}

/** A body that is open, until `close`. */
export interface OpenedRecords {
  readonly records: number;
  /** A body with the records from `from` up to `to` alone, coded as the whole was. Throws `relay.upstream.thread-ended`. */
  part(from: number, to: number): Promise<Buffer>;
  close(): void;
}

/** `maxBytes` bounds an inflated body. */
export function createRecordOpener(maxBytes: number, thread: URL = THREAD): RecordOpener {
  let worker: Worker | undefined;
  let current: PromiseWithResolvers<RecordReply> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let tickets = 0;
  let closed = false;

  const fail = (ended: Worker, cause: Error): void => {
    if (worker !== ended) return;
    worker = undefined;
    current?.reject(new RelayError('relay.upstream.thread-ended', 'The thread that opens batches has ended.', { cause }));
  };

  const start = (): Worker => {
    const started = new Worker(thread);
    started.on('message', (reply: RecordReply) => current?.resolve(reply));
    started.on('error', (error) => fail(started, error));
    started.on('exit', (code) => fail(started, new Error(`exit code ${code}`)));
    return started;
  };

  const send = async (task: RecordTask, given: readonly Uint8Array[]): Promise<RecordReply> => {
    if (closed) throw stopping();
    worker ??= start();
    const sentTo = worker;
    current = Promise.withResolvers();
    // It keeps the process alive only while there is something to answer.
    sentTo.ref();
    sentTo.postMessage(
      task,
      given.map(({ buffer }) => buffer as ArrayBuffer),
    );
    return await current.promise.finally(() => sentTo.unref());
  };

  // One task at a time: when the thread ends, it is known by which.
  const ask = (task: RecordTask, given: readonly Uint8Array[] = []): Promise<RecordReply> => {
    const answer = turn.then(() => send(task, given));
    turn = answer.catch(() => {});
    return answer;
  };

  const openedOn = (thread: Worker | undefined, ticket: number, records: number): OpenedRecords => ({
    records,
    async part(from, to) {
      const reply = await ask({ task: 'part', ticket, from, to });
      if (reply.reply === 'part') return Buffer.from(reply.body.buffer, reply.body.byteOffset, reply.body.byteLength);
      throw new RelayError('relay.upstream.thread-ended', 'The thread that had opened a batch has ended.');
    },
    close() {
      if (worker === thread && worker) void ask({ task: 'close', ticket }).catch(() => {});
    },
  });

  const openOnce = async ({ body, origin: { encoding } }: Batch): Promise<OpenedRecords | { readonly unreadable: string }> => {
    tickets += 1;
    const ticket = tickets;
    // A copy of its own: what is handed to a thread is gone here, and a body shares its memory with its neighbours.
    const copy = new Uint8Array(body);
    const reply = await ask({ task: 'open', ticket, body: copy, encoding, maxBytes }, [copy]);
    if (reply.reply === 'opened') return openedOn(worker, ticket, reply.records);
    return { unreadable: reply.reply === 'unreadable' ? reply.reason : 'the thread gave no answer' };
  };

  return {
    async open(batch) {
      try {
        return await openOnce(batch);
      } catch (error) {
        if (closed) throw error;
        // The other open bodies went with the thread: now it has all the memory.
        return await openOnce(batch).catch((again: unknown) => {
          if (closed) throw again;
          return { unreadable: 'opening it ended the thread that opens batches' };
        });
      }
    },
    async close() {
      closed = true;
      const ended = worker;
      worker = undefined;
      current?.reject(stopping());
      await ended?.terminate();
    },
  };
}

function stopping(): RelayError {
  return new RelayError('relay.upstream.thread-ended', 'The relay is stopping.');
}
