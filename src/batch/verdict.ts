import type { Batch } from './batch.ts';

/** What became of one batch when it was offered upstream. */
export type Verdict = Delivered | Retry | Refused | Split;

export interface Delivered {
  readonly outcome: 'delivered';
}

/** Try again later. `workspace`: it cannot be reached, so its whole queue rests. `batch`: this one alone fails while others pass. */
export interface Retry {
  readonly outcome: 'retry';
  readonly scope: 'workspace' | 'batch';
  readonly reason: string;
  /** What upstream asked for in Retry-After, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** Refused for its content: it would be refused again. The answer is kept with the dead letter. */
export interface Refused {
  readonly outcome: 'refused';
  readonly status: number;
  readonly answer: string;
}

/** Refused for its content, then offered in parts, each part a batch of its own: what is not in `refused` was delivered. */
export interface Split {
  readonly outcome: 'split';
  readonly deliveredRecords: number;
  readonly refused: readonly RefusedPart[];
}

/** A part of a batch, with the answer that condemned it. */
export interface RefusedPart extends Pick<Refused, 'status' | 'answer'> {
  readonly batch: Batch;
  readonly records: number;
}

/** Offers batches of one workspace upstream and says what became of each, in the order given. Never throws for what upstream does. */
export type Deliver = (batches: readonly Batch[], signal: AbortSignal) => Promise<readonly Verdict[]>;
