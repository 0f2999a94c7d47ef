import type { Verdict } from '../batch/verdict.ts';

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

// RFC 9110 §5.6.7, the two forms that name their zone; Date.parse alone takes "-5" for a date.
const HTTP_DATE = /^\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w :-]+ GMT\s*$/;

/** What an answer of the Operational Data protocol means for the batch. `now` is milliseconds since 1970, for a Retry-After that is a date. */
export function classify(answer: Answer, now: number): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const text = answer.text.replace(/\s+/g, ' ').trim().slice(0, MAX_ANSWER_CHARACTERS);
  if (CONTENT_REFUSALS.has(status)) return { outcome: 'refused', status, answer: text };
  return { outcome: 'retry', scope: 'workspace', reason: `HTTP ${status}${text ? `: ${text}` : ''}`, retryAfterMs: readRetryAfter(answer.retryAfter, now) };
}

/** Retry-After (RFC 9110 §10.2.3), seconds or a date, as milliseconds from `now`; undefined when it is neither. */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const at = HTTP_DATE.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
