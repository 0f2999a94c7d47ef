/**
 * A workspace's changes and locks, in order, decide how long its tables are kept at any time. Pure: nothing has to happen for a change to take
 * effect, so nothing can be missed.
 *
 * Invariants: a shortening takes effect when its grace is over and no lock is in force. Until then each table is kept for the longer of the two.
 */
import type { By } from '../access/actor.ts';
import { applied, daysOf, defaultDaysOf, type InForce, type Setting } from './retention-rule.ts';
import { RETENTION_DAYS } from './retention-settings.ts';

/** A change as it was recorded. Times are milliseconds since 1970. */
export interface Change {
  readonly setting: Setting;
  /** `settings`: the process was started with other settings · `deletion`: the table went. */
  readonly source: 'order' | 'settings' | 'deletion';
  /** Takes back the change of the same target that waits; `setting` is then what stays. */
  readonly isTakeBack: boolean;
  readonly requestedAt: number;
  /** Later than `requestedAt` when it shortens. */
  readonly effectiveAt: number;
  readonly by: By;
}

/** A time in which the workspace was locked; no end: it is. */
export interface LockedTime {
  readonly from: number;
  readonly to?: number | undefined;
}

/** Both in the order in which they came. */
export interface RetentionPolicy {
  readonly changes: readonly Change[];
  readonly locks: readonly LockedTime[];
}

/** A change that waits. `takesEffectAt` is infinite while a lock holds it up. */
export interface Pending extends Change {
  readonly takesEffectAt: number;
}

const BEFORE_ALL: InForce = { plan: 'paid', days: RETENTION_DAYS.usual, tables: new Map() };

/** When a change takes effect: at the end of its grace, or when the lock is lifted that was in force then. Infinite while it is. */
export function takesEffectAt(effectiveAt: number, locks: readonly LockedTime[]): number {
  return locks.reduce((at, { from, to = Number.POSITIVE_INFINITY }) => (at > from && at < to ? to : at), effectiveAt);
}

/** What is set at this time, and what waits. */
export function policyAt({ changes, locks }: RetentionPolicy, now: number): { readonly inForce: InForce; readonly pending: readonly Pending[] } {
  let inForce = BEFORE_ALL;
  const waiting = new Map<string, Pending>();
  const settle = (until: number): void => {
    for (const [target, change] of waiting) {
      if (change.takesEffectAt > until) continue;
      inForce = applied(inForce, change.setting);
      waiting.delete(target);
    }
  };
  for (const change of changes) {
    settle(change.requestedAt);
    // A newer change takes the place of one that waits.
    waiting.delete(targetOf(change.setting));
    if (change.isTakeBack) continue;
    // Also when the clock was set back since.
    if (change.effectiveAt <= change.requestedAt) inForce = applied(inForce, change.setting);
    else waiting.set(targetOf(change.setting), { ...change, takesEffectAt: takesEffectAt(change.effectiveAt, locks) });
  }
  settle(now);
  return { inForce, pending: [...waiting.values()] };
}

/** Days (4 to 730) that a table's rows are kept at this time. */
export function effectiveRetention(table: string, policy: RetentionPolicy, now: number): number {
  const { inForce, pending } = policyAt(policy, now);
  // A change of plan can lengthen some tables and shorten others: the lengthening does not wait.
  return Math.max(daysOf(table, inForce), ...pending.map(({ setting }) => daysOf(table, applied(inForce, setting))));
}

/** Days by table, for those that may differ from the rest, and of the rest. */
export interface RetentionByTable {
  readonly retention: Readonly<Record<string, number>>;
  readonly otherwise: number;
}

/** The retention of all tables at this time, as trimming takes it. */
export function retentionByTable(policy: RetentionPolicy, now: number): RetentionByTable {
  const { inForce, pending } = policyAt(policy, now);
  const waiting = pending.flatMap(({ setting }) => (setting.target === 'table' ? [setting.table] : []));
  const named = new Set([...inForce.tables.keys(), ...waiting]);
  return {
    retention: Object.fromEntries([...named].map((table) => [table, effectiveRetention(table, policy, now)])),
    otherwise: Math.max(defaultDaysOf(inForce), ...pending.map(({ setting }) => defaultDaysOf(applied(inForce, setting)))),
  };
}

/** Changes of one target follow one another; those of several do not meet. */
export function targetOf(setting: Setting): string {
  return setting.target === 'table' ? `table ${setting.table}` : setting.target;
}
