/** Refusals of what removes rows, or would sooner. */
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type AccessRefusal, nameOf } from '../access/actor.ts';
import type { LockStep } from './lock-store.ts';
import type { Change } from './retention-policy.ts';
import type { WouldGo } from './would-go.ts';

const DAY_MS = 86_400_000;

/** A refusal that says more than words. */
export interface RetentionRefusal extends AccessRefusal {
  readonly details?: object | undefined;
}

/** What came of an order. */
export type Ordered<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: RetentionRefusal };

/** 409, by the service's code: a lock forbids it. */
export function scopeLocked(workspaceId: WorkspaceId, { at, by, reason }: LockStep): RetentionRefusal {
  const since = new Date(at).toISOString();
  const message =
    `Workspace ${workspaceId} has been locked since ${since} by ${nameOf(by)}: "${reason}". Nothing of it is purged or deleted, and its retention stays. ` +
    'Who may do "lock.lift" can lift the lock: relay local-workspace lock lift, or DELETE on …/lock, with a reason.';
  return { status: 409, code: 'ScopeLocked', message, details: { since, by: nameOf(by), reason } };
}

/** 409: a shortening that nobody has confirmed. */
export function needsConfirmation(what: string, gone: WouldGo, { requestedAt, effectiveAt }: Pick<Change, 'requestedAt' | 'effectiveAt'>): RetentionRefusal {
  const of = gone.oldestDay === undefined ? 'no rows of today' : `${gone.rows} rows of today (${gone.bytes} bytes, the oldest of ${gone.oldestDay})`;
  const when = new Date(effectiveAt).toISOString();
  const graceDays = Math.round((effectiveAt - requestedAt) / DAY_MS);
  const message =
    `${what} is shorter: ${of} would be past their time. It takes effect in ${graceDays} days, on ${when}, and can be taken back until then. ` +
    'To have it, send the same with "confirm": true.';
  return { status: 409, code: 'ConfirmationRequired', message, details: { ...gone, effectiveAt: when } };
}

/** 404: the workspace has no such table. */
export function noTable(table: string): RetentionRefusal {
  const message = `This workspace has no table "${table.slice(0, 64)}". Look at the list of its tables; a table is there once rows of it have come.`;
  return { status: 404, code: 'NotFoundError', message };
}

/** 429: too many purges in an hour. */
export function tooManyPurges(most: number, retryAfterS: number): RetentionRefusal {
  const message = `This workspace takes ${most} purges in an hour and has had them. Come again in ${retryAfterS} s, or put more values into one filter with "in".`;
  return { status: 429, code: 'TooManyRequests', message, retryAfterS };
}
