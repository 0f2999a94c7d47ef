import type { Batch } from '../batch/batch.ts';
import type { GroupId } from './segment-format.ts';

/** Payloads just written, still in memory up to a cap: while upstream keeps pace the consumer never reads a segment. The oldest give way. */
export interface RecentPayloads {
  add(id: GroupId, batches: readonly Batch[]): void;
  get(id: GroupId): readonly Batch[] | undefined;
  remove(id: GroupId): void;
}

export function createRecentPayloads(maxBytes: number): RecentPayloads {
  const kept = new Map<GroupId, { readonly batches: readonly Batch[]; readonly bytes: number }>();
  let total = 0;

  const remove = (id: GroupId): void => {
    const entry = kept.get(id);
    if (!entry) return;
    kept.delete(id);
    total -= entry.bytes;
  };

  return {
    add(id, batches) {
      const bytes = batches.reduce((sum, batch) => sum + batch.body.length, 0);
      kept.set(id, { batches, bytes });
      total += bytes;
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break;
        remove(oldest);
      }
    },
    get: (id) => kept.get(id)?.batches,
    remove,
  };
}
