import type { Batch } from '../batch/batch.ts';
import type { GroupId } from './segment-format.ts';

/** Payloads just written, still in memory up to a cap: while upstream keeps pace the consumer never reads a segment. The oldest give way. */
export interface RecentPayloads {
  add(id: GroupId, batches: readonly Batch[]): void;
  get(id: GroupId): readonly Batch[] | undefined;
  remove(id: GroupId): void;
}

/** What a batch takes beside its body: its fields, and its places in lists. */
const BATCH_BYTES = 1_024;

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
      const bytes = batches.reduce((sum, batch) => sum + batch.body.length + BATCH_BYTES, 0);
      kept.set(id, { batches: batches.map(withOwnBody), bytes });
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

// Node cuts small buffers out of larger ones, which stay in memory as long as one cut of them is kept.
function withOwnBody(batch: Batch): Batch {
  const { body } = batch;
  if (body.buffer.byteLength <= 2 * body.length) return batch;
  const own = Buffer.allocUnsafeSlow(body.length);
  own.set(body);
  return { ...batch, body: own };
}
