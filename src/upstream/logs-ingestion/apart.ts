/**
 * Takes a refused request apart until the bad records are alone: by halves of its batches first, so that a bad batch does not cost its neighbours
 * anything, then within a batch by its records.
 */
import type { Refused } from '../../batch/verdict.ts';
import { createSearch } from '../search.ts';
import { type Outcome, retry } from './answers.ts';
import type { WorkSpan } from './work.ts';

const TOO_LARGE = 413;
const NO_TIME = retry('batch', 'looking for the records that are refused takes long; it goes on with the next try');

export interface ApartParts {
  /** Sends these records in a request of their own. */
  readonly offer: (spans: readonly WorkSpan[]) => Promise<Outcome>;
  /** Whether nothing more may begin. */
  readonly isOver: () => boolean;
}

/** Settles every record of a request that was refused. */
export async function takeApart(spans: readonly WorkSpan[], refusal: Refused, parts: ApartParts): Promise<void> {
  const [first] = spans;
  if (first && spans.length === 1) return await searchIn(first, refusal, parts);
  const middle = Math.ceil(spans.length / 2);
  const outcome = await offerOrStop(spans.slice(0, middle), parts);
  await follow(spans.slice(0, middle), outcome, parts);
  const others = spans.slice(middle);
  // What passes in the first half leaves the fault in the second; but not when the whole was only too large.
  if (outcome.outcome === 'delivered' && refusal.status !== TOO_LARGE && others.length === 1) return await takeApart(others, refusal, parts);
  await follow(others, await offerOrStop(others, parts), parts);
}

async function follow(spans: readonly WorkSpan[], outcome: Outcome, parts: ApartParts): Promise<void> {
  if (outcome.outcome === 'refused') await takeApart(spans, outcome, parts);
  else settleAll(spans, outcome);
}

async function searchIn({ work, from, to }: WorkSpan, refusal: Refused, parts: ApartParts): Promise<void> {
  if (to - from === 1) return work.settle({ from, to }, refusal);
  const search = createSearch(to - from, refusal);
  let settledTo = from;
  for (let range = search.next(); range; range = search.next()) {
    const offered = { from: from + range.from, to: from + range.to };
    const outcome = await offerOrStop([{ work, ...offered }], parts);
    if (outcome.outcome === 'retry') return settleRefused(outcome);
    if (outcome.outcome === 'delivered') {
      search.delivered();
      work.settle(offered, outcome);
      settledTo = offered.to;
    } else search.refused(outcome);
    const last = search.refusedRanges.at(-1);
    if (last) settledTo = Math.max(settledTo, from + last.to);
  }
  settleRefused(undefined);

  function settleRefused(rest: Outcome | undefined): void {
    for (const refused of search.refusedRanges) {
      work.settle({ from: from + refused.from, to: from + refused.to }, { outcome: 'refused', status: refused.status, answer: refused.answer });
    }
    if (rest && settledTo < to) work.settle({ from: settledTo, to }, rest);
  }
}

async function offerOrStop(spans: readonly WorkSpan[], { offer, isOver }: ApartParts): Promise<Outcome> {
  return isOver() ? NO_TIME : await offer(spans);
}

/** Gives all these records one outcome. */
export function settleAll(spans: readonly WorkSpan[], outcome: Outcome): void {
  for (const { work, from, to } of spans) work.settle({ from, to }, outcome);
}
