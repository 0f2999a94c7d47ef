/**
 * Works operations one after another, the oldest first. An operation that cannot be done now is tried again later, and others go on meanwhile.
 * Invariants: whatever ends the process, what is not completed goes on at the next start. Between two steps a lock is looked for: nothing is
 * removed on anybody's order while it is set.
 */
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Operation, OperationStore } from './operation-store.ts';

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;

/** What one step did; undefined when nothing is left to do. */
export type Step = { readonly removedRows: number } | undefined;

export interface OperationRunner {
  /** There may be something to do: a new operation, or a lock that was lifted. */
  wake(): void;
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

export interface OperationRunnerParts {
  readonly workspaceId: WorkspaceId;
  readonly store: OperationStore;
  readonly isLocked: () => boolean;
  /** The steps of an operation, one at each call. */
  readonly stepsOf: (operation: Operation) => () => Promise<Step>;
  /** Called after the last step; once more when the process ends before that is noted. */
  readonly onCompleted: (operation: Operation) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Failed {
  readonly waitMs: number;
  readonly notBefore: number;
}

export function createOperationRunner({ workspaceId, store, isLocked, stepsOf, onCompleted, clock, log }: OperationRunnerParts): OperationRunner {
  const failed = new Map<string, Failed>();
  let isStopped = false;
  let working: Promise<void> | undefined;
  let isCalled = false;
  let cancelWait = (): void => {};

  const mayGoOn = (): boolean => !isStopped && !isLocked();

  const work = async (operation: Operation): Promise<void> => {
    store.start(operation.id);
    const next = stepsOf(operation);
    while (mayGoOn()) {
      const step = await next();
      if (step) {
        store.addRemoved(operation.id, step.removedRows);
        continue;
      }
      // In this order: a process that ends in between tells it twice, never not at all.
      onCompleted(store.find(operation.id) ?? operation);
      store.complete(operation.id, clock.now());
      failed.delete(operation.id);
      return;
    }
  };

  const attempt = async (operation: Operation): Promise<void> => {
    try {
      await work(operation);
    } catch (cause) {
      const waitMs = Math.min((failed.get(operation.id)?.waitMs ?? FIRST_WAIT_MS / 2) * 2, LONGEST_WAIT_MS);
      failed.set(operation.id, { waitMs, notBefore: clock.now() + waitMs });
      const { id: operationId, table } = operation;
      log.warn({ workspaceId, operationId, table, waitMs, reason: messageOf(cause) }, 'an operation that removes rows failed; it is tried again');
    }
  };

  /** The first that may be tried now, or how long to wait until one may. */
  const look = (): { readonly operation?: Operation | undefined; readonly waitMs?: number | undefined } => {
    const now = clock.now();
    const open = store.open();
    const operation = open.find(({ id }) => (failed.get(id)?.notBefore ?? 0) <= now);
    if (operation || open.length === 0) return { operation };
    return { waitMs: Math.min(...open.map(({ id }) => (failed.get(id)?.notBefore ?? now) - now)) };
  };

  const workAll = async (): Promise<void> => {
    while (mayGoOn()) {
      const { operation, waitMs } = look();
      if (waitMs !== undefined) cancelWait = clock.after(waitMs, wake);
      if (!operation) return;
      await attempt(operation);
    }
  };

  const wake = (): void => {
    isCalled = true;
    working ??= workOff().finally(() => {
      working = undefined;
      // Called after the last look, before this.
      if (isCalled && !isStopped) wake();
    });
  };

  const workOff = async (): Promise<void> => {
    while (isCalled && !isStopped) {
      isCalled = false;
      cancelWait();
      try {
        await workAll();
      } catch (cause) {
        log.warn({ workspaceId, reason: messageOf(cause) }, 'the operations that remove rows cannot be read; it is tried again');
        cancelWait = clock.after(LONGEST_WAIT_MS, wake);
      }
    }
  };

  return {
    wake,
    async stop() {
      isStopped = true;
      cancelWait();
      await working;
    },
  };
}
