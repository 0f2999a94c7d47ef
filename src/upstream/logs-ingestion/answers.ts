import type { Refused, Retry } from '../../batch/verdict.ts';
import { readRetryAfter } from '../../oms-protocol/retry-after.ts';
import type { Answer } from '../classify.ts';

/** What became of a request, or of a record with it. */
export type Outcome = { readonly outcome: 'delivered' } | Refused | Retry;

const MAX_ANSWER_CHARACTERS = 500;
/** Refused for what is in it: the same bytes would be refused again. */
const ABOUT_CONTENT = new Set([400, 413, 422]);
const ABOUT_RULE = /stream|transform|rule/i;

/** What an answer of the Logs Ingestion API means, but for 401. `now` is milliseconds since 1970, for a Retry-After that is a date. */
export function judge(answer: Answer, stream: string, now: number): Outcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const said = saidBy(answer);
  if (status === 404 || (status === 400 && ABOUT_RULE.test(codeOf(answer)))) {
    return retry('batch', `${said}; the rule does not take the stream ${stream}: declare it there, or name another in ingestion.streams, or mend ruleId`);
  }
  if (ABOUT_CONTENT.has(status)) return { outcome: 'refused', status, answer: textOf(answer) };
  const retryAfterMs = readRetryAfter(answer.retryAfter, now);
  return { ...retry('workspace', `${said}${remedyFor(status)}`), retryAfterMs };
}

/** Whether a table of the auxiliary plan took offence at records that lie more than half an hour apart. */
export function isSpanTooLong({ answer }: Refused): boolean {
  return answer.includes('RecordsTimeRangeIsMoreThan30Minutes');
}

export function retry(scope: Retry['scope'], reason: string): Retry {
  return { outcome: 'retry', scope, reason };
}

function remedyFor(status: number): string {
  if (status === 401) return '; the token was refused twice: look at signIn (cloud, tenant, application) and at the clock';
  if (status === 403) {
    return '; give the application the role Monitoring Metrics Publisher on the rule, and bind the rule to this endpoint; a new role takes up to 30 minutes';
  }
  if (status === 411 || status === 415 || status === 501)
    return '; this is no Logs Ingestion endpoint, or something on the way alters requests: look at ingestion.endpoint';
  return '';
}

function saidBy(answer: Answer): string {
  const text = textOf(answer);
  return `HTTP ${answer.status}${text ? `: ${text}` : ''}`;
}

function textOf({ text }: Answer): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_ANSWER_CHARACTERS);
}

function codeOf({ text }: Answer): string {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly code?: unknown } };
    return typeof error?.code === 'string' ? error.code : '';
  } catch {
    return '';
  }
}
