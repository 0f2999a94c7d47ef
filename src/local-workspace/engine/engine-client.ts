import { Worker } from 'node:worker_threads';
import { type ErrorCode, messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Asked, GivenUp, Told } from './messages.ts';
import type { Answer, Emit, Given, OperationName } from './operations.ts';

const MAX_HEAP_MB = 2_048;

/** The engine, in a thread of its own. */
export interface EngineClient {
  /**
   * Throws what the engine throws; `relay.local-workspace.engine-ended` when its thread ends before the answer. An aborted `signal` ends a query
   * soon, with an answer that says so.
   */
  ask<Name extends OperationName>(name: Name, workspaceId: WorkspaceId, given: Given<Name>, signal?: AbortSignal): Promise<Answer<Name>>;
  close(): Promise<void>;
}

export interface EngineClientParts {
  readonly onEvent: Emit;
  /** Told when the thread ended by itself: what was open there is not any more. */
  readonly onEnd: () => void;
  readonly log: Logger;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (cause: unknown) => void;
}

export function startEngine({ onEvent, onEnd, log }: EngineClientParts): EngineClient {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let worker: Worker | undefined;

  const settle = (told: Exclude<Told, { event: unknown }>): void => {
    const asked = waiting.get(told.id);
    waiting.delete(told.id);
    if ('answer' in told) asked?.resolve(told.answer);
    else asked?.reject(new RelayError((told.error.code ?? 'relay.local-workspace.engine-failed') as ErrorCode, told.error.message));
  };

  const ended = (thread: Worker, cause: unknown): void => {
    if (worker !== thread) return;
    worker = undefined;
    log.error({ reason: messageOf(cause) }, "the local workspace's engine ended and starts again");
    giveUpAll(cause);
    onEnd();
  };

  const giveUpAll = (cause: unknown): void => {
    const lost = [...waiting.values()];
    waiting.clear();
    for (const { reject } of lost) reject(new RelayError('relay.local-workspace.engine-ended', 'The engine ended before it answered. Ask again.', { cause }));
  };

  const started = (): Worker => {
    const thread = new Worker(new URL('thread.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    let reason: unknown = new Error('the thread ended');
    thread.on('message', (told: Told) => ('event' in told ? onEvent(told.event) : settle(told)));
    thread.on('error', (cause) => {
      reason = cause;
    });
    thread.on('exit', () => ended(thread, reason));
    thread.unref();
    return thread;
  };

  return {
    ask(name, workspaceId, given, signal) {
      worker ??= started();
      const id = nextId;
      nextId += 1;
      const asked: Asked = { id, name, workspaceId, given };
      const giveUp = (): void => worker?.postMessage({ givenUp: id } satisfies GivenUp);
      signal?.addEventListener('abort', giveUp, { once: true });
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
        // A thread that has work keeps the process alive; an idle one does not.
        worker?.ref();
        worker?.postMessage(asked);
        if (signal?.aborted) giveUp();
      }).finally(() => {
        signal?.removeEventListener('abort', giveUp);
        if (waiting.size === 0) worker?.unref();
      }) as Promise<Answer<typeof name>>;
    },
    async close() {
      const thread = worker;
      worker = undefined;
      await thread?.terminate();
      giveUpAll(new Error('it was closed'));
    },
  };
}
