/**
 * Transforms in a few threads, started when they are first needed. A thread that ends takes its task with it: the task gets another thread, its
 * batches one by one, so that it is known which of them no thread survives.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { RelayError } from '../../errors.ts';
import type { Transformed, TransformTask } from './transform.ts';

const THREAD = new URL('./transform-thread.ts', import.meta.url);
const MOST_THREADS = 2;
/** What a thread's objects may take; bodies are bounded by `intake.maxInflatedSize`. */
const MAX_HEAP_MB = 256;

export type TransformReply = { readonly done: Transformed } | { readonly failed: string };

export interface Transformer {
  /** Rejects with `relay.upstream.thread-ended` when the task ended its thread twice, or at the stop. */
  transform(task: TransformTask): Promise<Transformed>;
  /** Ends the threads. Safe to call twice. */
  close(): Promise<void>;
}

interface Waiting {
  readonly task: TransformTask;
  readonly settled: PromiseWithResolvers<Transformed>;
}

export function createTransformer(thread: URL = THREAD, threads: number = Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1))): Transformer {
  const queue: Waiting[] = [];
  const busy = new Map<Worker, Waiting>();
  const idle: Worker[] = [];
  let closed = false;

  const finish = (worker: Worker, reply: TransformReply): void => {
    const current = busy.get(worker);
    busy.delete(worker);
    // It keeps the process alive only while there is something to answer.
    worker.unref();
    idle.push(worker);
    if ('done' in reply) current?.settled.resolve(reply.done);
    else current?.settled.reject(ended(reply.failed));
    next();
  };
  const lose = (worker: Worker, cause: string): void => {
    const current = busy.get(worker);
    busy.delete(worker);
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
    current?.settled.reject(ended(cause));
    next();
  };
  const start = (): Worker => {
    const worker = new Worker(thread, { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    worker.on('message', (reply: TransformReply) => finish(worker, reply));
    worker.on('error', (error) => lose(worker, error.message));
    worker.on('exit', (code) => lose(worker, `exit code ${code}`));
    return worker;
  };

  function next(): void {
    while (queue.length > 0 && busy.size < threads) {
      const worker = idle.pop() ?? start();
      const waiting = queue.shift() as Waiting;
      busy.set(worker, waiting);
      worker.ref();
      worker.postMessage(waiting.task);
    }
  }

  const once = (task: TransformTask): Promise<Transformed> => {
    if (closed) return Promise.reject(ended('the relay is stopping'));
    const settled = Promise.withResolvers<Transformed>();
    queue.push({ task, settled });
    next();
    return settled.promise;
  };

  return {
    async transform(task) {
      try {
        return await once(task);
      } catch (error) {
        if (closed || task.batches.length > 1) throw error;
        return await once(task);
      }
    },
    async close() {
      closed = true;
      for (const { settled } of queue.splice(0)) settled.reject(ended('the relay is stopping'));
      const all = [...busy.keys(), ...idle.splice(0)];
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

function ended(cause: string): RelayError {
  return new RelayError('relay.upstream.thread-ended', `A thread that makes requests of batches has ended: ${cause}.`);
}
