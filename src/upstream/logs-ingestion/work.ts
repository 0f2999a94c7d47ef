import type { Batch } from '../../batch/batch.ts';
import type { Refused, Retry } from '../../batch/verdict.ts';
import type { Outcome } from './answers.ts';
import { asRanges, type Range, type RefusedRange, rangesWithout } from './ranges.ts';

/** What is known of a batch's records: which were delivered, which were refused and why. */
export interface Settled {
  readonly delivered: readonly Range[];
  readonly refused: readonly RefusedRange[];
}

/** How it ended: each record is settled, or some have to be tried again. */
export interface Ended extends Settled {
  readonly records: number;
  readonly retry: Retry | undefined;
}

/** A batch on its way: its records go in one or more requests, and it ends when each of them has been answered. */
export interface Work {
  readonly batch: Batch;
  /** Settles when all its records have an outcome. */
  readonly ended: Promise<Ended | Refused>;
  readonly before: Settled | undefined;
  /** How many it holds, once it has begun. */
  records(): number;
  /** It holds so many records; those of `before` are settled. */
  begin(records: number): void;
  /** Some of its records have an outcome. */
  settle(range: Range, outcome: Outcome): void;
  /** Nothing of it could be sent. */
  fail(outcome: Refused | Retry): void;
}

/** Some records of a batch on its way. */
export interface WorkSpan extends Range {
  readonly work: Work;
}

/** `onRecords` is told of records that were delivered. */
export function createWork(batch: Batch, before: Settled | undefined, onRecords: (records: number) => void = () => {}): Work {
  const ended = Promise.withResolvers<Ended | Refused>();
  const delivered: Range[] = [...(before?.delivered ?? [])];
  const refused: RefusedRange[] = [...(before?.refused ?? [])];
  let retry: Retry | undefined;
  let records = 0;
  let left = Number.POSITIVE_INFINITY;

  const endIfSettled = (): void => {
    if (left <= 0) ended.resolve({ records, retry, delivered: asRanges(delivered), refused });
  };
  // The workspace out of reach is the stronger reason, and the longest wait is what was asked for.
  const keepRetry = (given: Retry): void => {
    const isStronger = retry === undefined || (given.scope === 'workspace' && retry.scope === 'batch') || (given.retryAfterMs ?? 0) > (retry.retryAfterMs ?? 0);
    if (isStronger) retry = given;
  };

  return {
    batch,
    ended: ended.promise,
    before,
    records: () => records,
    begin(count) {
      records = count;
      left = rangesWithout(count, [...delivered, ...refused]).reduce((sum, { from, to }) => sum + to - from, 0);
      endIfSettled();
    },
    settle({ from, to }, outcome) {
      if (outcome.outcome === 'delivered') {
        delivered.push({ from, to });
        onRecords(to - from);
      } else if (outcome.outcome === 'refused') refused.push({ from, to, status: outcome.status, answer: outcome.answer });
      else keepRetry(outcome);
      left -= to - from;
      endIfSettled();
    },
    fail(outcome) {
      ended.resolve(outcome.outcome === 'refused' ? outcome : { records, retry: outcome, delivered: asRanges(delivered), refused });
    },
  };
}
