/** What is set decides how many days a table is kept. Pure. */
import { type Plan, RETENTION_DAYS } from './retention-settings.ts';

/** What is set at one time. */
export interface InForce {
  readonly plan: Plan;
  /** Of tables that have none of their own. With `free` it does not count. */
  readonly days: number;
  readonly tables: ReadonlyMap<string, number>;
}

/** What a change sets. A table without days follows the workspace again. */
export type Setting =
  | { readonly target: 'plan'; readonly plan: Plan }
  | { readonly target: 'default'; readonly days: number }
  | { readonly target: 'table'; readonly table: string; readonly days: number | undefined };

/** Days that a table's rows are kept. */
export function daysOf(table: string, { plan, days, tables }: InForce): number {
  return plan === 'free' ? RETENTION_DAYS.free : (tables.get(table) ?? days);
}

/** Days of tables that have none of their own. */
export function defaultDaysOf({ plan, days }: InForce): number {
  return plan === 'free' ? RETENTION_DAYS.free : days;
}

/** What is set once the change is made. */
export function applied(before: InForce, setting: Setting): InForce {
  if (setting.target === 'plan') return { ...before, plan: setting.plan };
  if (setting.target === 'default') return { ...before, days: setting.days };
  const tables = new Map(before.tables);
  if (setting.days === undefined) tables.delete(setting.table);
  else tables.set(setting.table, setting.days);
  return { ...before, tables };
}

/** Whether any table would be kept for a shorter time. */
export function isShorter(before: InForce, after: InForce): boolean {
  const named = [...before.tables.keys(), ...after.tables.keys()];
  return defaultDaysOf(after) < defaultDaysOf(before) || named.some((table) => daysOf(table, after) < daysOf(table, before));
}
