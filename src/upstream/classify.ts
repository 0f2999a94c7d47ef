import type { Verdict } from '../batch/verdict.ts';
import { readRetryAfter } from '../oms-protocol/retry-after.ts';

/** What upstream answered. */
export interface Answer {
  readonly status: number;
  readonly retryAfter?: string | undefined;
  /** The beginning of the body, for the log and the dead letter. */
  readonly text: string;
}

const MAX_ANSWER_CHARACTERS = 500;
/** Refused for content: the same bytes would be refused again. 404 is not among them: here it means a wrong address, which an operator mends. */
const CONTENT_REFUSALS = new Set([400, 411, 413, 415, 422]);

/** What an answer of the Operational Data protocol means for the batch. `now` is milliseconds since 1970, for a Retry-After that is a date. */
export function classify(answer: Answer, now: number): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const text = answer.text.replace(/\s+/g, ' ').trim().slice(0, MAX_ANSWER_CHARACTERS);
  if (CONTENT_REFUSALS.has(status)) return { outcome: 'refused', status, answer: text };
  return { outcome: 'retry', scope: 'workspace', reason: `HTTP ${status}${text ? `: ${text}` : ''}`, retryAfterMs: readRetryAfter(answer.retryAfter, now) };
}
