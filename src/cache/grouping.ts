/**
 * Group commit: batches that wait at the same moment for the same workspace and kind become one group, one write, one sync, one index
 * entry. While one group is being synced the next one gathers, so groups grow with the load and a lone batch waits for nobody.
 */
import type { Batch } from '../batch/batch.ts';
import { messageOf } from '../errors.ts';
import type { PutOutcome } from './cache.ts';

export interface GroupingLimits {
  readonly maxBatches: number;
  readonly maxBytes: number;
}

/** Stores a group and makes its index entry. `stored` resolves when the next group may be written, `indexed` when the group counts as kept. */
export type CommitGroup = (batches: readonly Batch[]) => { readonly stored: Promise<void>; readonly indexed: Promise<void> };

export interface Grouping {
  /** Resolves when the batch's group is kept; never rejects. */
  put(batch: Batch): Promise<PutOutcome>;
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly batch: Batch;
  readonly resolve: (outcome: PutOutcome) => void;
}

interface Lane {
  waiting: Waiting[];
  running: Promise<void> | undefined;
}

export function createGrouping(limits: GroupingLimits, commit: CommitGroup): Grouping {
  const lanes = new Map<string, Lane>();
  const committing = new Set<Promise<void>>();

  const run = async (lane: Lane): Promise<void> => {
    // Batches that arrive in this turn of the event loop belong to the first group already.
    await new Promise(setImmediate);
    while (lane.waiting.length > 0) {
      const group = takeGroup(lane.waiting, limits);
      const { stored, indexed } = commit(group.map((one) => one.batch));
      const settled = indexed.then(
        () => settle(group, { outcome: 'stored' }),
        (error: unknown) => settle(group, { outcome: 'unavailable', message: messageOf(error) }),
      );
      committing.add(settled);
      void settled.then(() => committing.delete(settled));
      await stored.catch(() => {});
    }
    lane.running = undefined;
  };

  return {
    put: (batch) =>
      new Promise((resolve) => {
        const key = `${batch.workspaceId} ${batch.kind}`;
        const lane = lanes.get(key) ?? { waiting: [], running: undefined };
        lanes.set(key, lane);
        lane.waiting.push({ batch, resolve });
        lane.running ??= run(lane);
      }),
    async drained() {
      await Promise.all([...lanes.values()].map((lane) => lane.running));
      await Promise.all(committing);
    },
  };
}

function settle(group: readonly Waiting[], outcome: PutOutcome): void {
  for (const { resolve } of group) resolve(outcome);
}

// At least one batch, however large; then as many as fit.
function takeGroup(waiting: Waiting[], limits: GroupingLimits): Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const { batch } of waiting) {
    bytes += batch.body.length;
    if (count > 0 && (count >= limits.maxBatches || bytes > limits.maxBytes)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}
