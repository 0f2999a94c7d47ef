import type { Batch } from '../batch/batch.ts';
import type { Verdict } from '../batch/verdict.ts';

/** A protocol to one workspace. */
export interface Transport {
  /** Offers batches and says what became of each, in order. Never throws for what upstream does. */
  offer(batches: readonly Batch[], signal: AbortSignal): Promise<readonly Verdict[]>;
  /** Closes its connections; requests in flight end. Safe to call twice. */
  close(): Promise<void>;
}
