/** The rule by which a workspace's key counts as taken away or given back: pure. */
import type { KeyObject } from 'node:crypto';
import type { KeyUnavailable } from './key-provider.ts';

const TRANSIENT_FOR_MS = 50_000;
const TRANSIENT_AGAIN_MS = 10_000;

/** Whether a workspace's key can be had. */
export type KeyState =
  | { readonly available: true; readonly key: KeyObject; readonly id: string }
  /** `since` in milliseconds since 1970. The reason goes on from "its key cannot be had: " and holds no secret. */
  | { readonly available: false; readonly since: number; readonly reason: string };

export interface Watch {
  readonly state: KeyState;
  /** When the first of the latest checks began that failed for a reason that may pass; undefined when the latest did not. */
  readonly failingSince: number | undefined;
}

export type CheckResult = { readonly outcome: 'opened'; readonly key: KeyObject; readonly id: string } | KeyUnavailable;

/**
 * After a check. A definite refusal counts at once; a transient one only when checks have failed for 50 s, or when there is no key to go on with.
 * `begunAt` and `now`: when the check began and ended.
 */
export function afterCheck(before: Watch | undefined, result: CheckResult, { begunAt, now }: { readonly begunAt: number; readonly now: number }): Watch {
  if (result.outcome === 'opened') return { state: opened(result, before?.state), failingSince: undefined };
  const { isTransient, reason } = result;
  const failingSince = isTransient ? (before?.failingSince ?? begunAt) : undefined;
  if (before?.state.available === false) return { state: { ...before.state, reason }, failingSince };
  const isBorne = before !== undefined && failingSince !== undefined && now - failingSince < TRANSIENT_FOR_MS;
  if (isBorne) return { state: before.state, failingSince };
  return { state: { available: false, since: failingSince ?? begunAt, reason }, failingSince };
}

/** How long until the next check, in milliseconds: sooner while it is not known whether the key is gone, and never past the 50 s. */
export function nextCheckMs({ state, failingSince }: Watch, checkEveryMs: number, now: number): number {
  if (failingSince === undefined) return checkEveryMs;
  const left = state.available ? Math.max(failingSince + TRANSIENT_FOR_MS - now, 0) : Number.POSITIVE_INFINITY;
  return Math.min(checkEveryMs, TRANSIENT_AGAIN_MS, left);
}

// The key object that is in use stays the one in use.
function opened({ key, id }: Extract<CheckResult, { outcome: 'opened' }>, before: KeyState | undefined): KeyState {
  return before?.available && before.id === id ? before : { available: true, key, id };
}
