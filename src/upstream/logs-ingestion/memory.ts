import { hash } from 'node:crypto';
import type { Batch } from '../../batch/batch.ts';
import type { BatchId } from '../../batch/batch-id.ts';
import type { Settled } from './work.ts';

/** Remembers which records of batches that have to be offered again are settled, so that those are not sent twice. A restart forgets. */
export interface Memory {
  recall(batch: Batch): Settled | undefined;
  remember(batch: Batch, settled: Settled): void;
  forget(batch: Batch): void;
}

const MAX_BATCHES = 1_024;

export function createMemory(most: number = MAX_BATCHES): Memory {
  const remembered = new Map<BatchId, { readonly settled: Settled; readonly receivedAt: number; readonly sha256: string }>();
  return {
    recall(batch) {
      const found = remembered.get(batch.id);
      // A sender may use an id again, for other bytes or after its batch was dealt with.
      return found?.receivedAt === batch.receivedAt && found.sha256 === hash('sha256', batch.body) ? found.settled : undefined;
    },
    remember(batch, settled) {
      remembered.delete(batch.id);
      remembered.set(batch.id, { settled, receivedAt: batch.receivedAt, sha256: hash('sha256', batch.body) });
      for (const oldest of remembered.keys()) {
        if (remembered.size <= most) break;
        remembered.delete(oldest);
      }
    },
    forget: (batch) => void remembered.delete(batch.id),
  };
}
