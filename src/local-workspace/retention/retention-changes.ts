/** Changes of a workspace's retention, by order while it runs and by other settings at its start. Each is recorded with who made it, for good. */
import type { EnterAudit } from '../../audit/entry.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type Actor, auditActor, type By, nameOf, SYSTEM } from '../access/actor.ts';
import { badArgument, conflict } from '../access/refusals.ts';
import type { ChangeStore } from './change-store.ts';
import { freshSettings, isSameSetting } from './fresh-settings.ts';
import type { KeptTables } from './kept-tables.ts';
import type { OnRetentionEvent } from './retention-event.ts';
import { type Change, type Pending, policyAt, type RetentionPolicy, targetOf } from './retention-policy.ts';
import { needsConfirmation, noTable, type Ordered } from './retention-refusals.ts';
import { applied, daysOf, defaultDaysOf, type InForce, isShorter, type Setting } from './retention-rule.ts';
import { RETENTION_DAYS, type RetentionSettings } from './retention-settings.ts';
import type { WorkspaceLock } from './workspace-lock.ts';
import { wouldGo } from './would-go.ts';

const DAY_MS = 86_400_000;

/** What can be ordered; the plan is a matter of the settings. */
export type OrderedSetting = Exclude<Setting, { readonly target: 'plan' }>;

export interface RetentionChanges {
  policy(): RetentionPolicy;
  /** Sets it. A shortening is taken only with `confirm`, and waits until its grace is over. */
  set(actor: Actor, setting: OrderedSetting, confirm: boolean): Promise<Ordered<void>>;
  /** Takes back the shortening of a table, or of the workspace's default, that waits. */
  takeBack(actor: Actor, table: string | undefined): Ordered<void>;
  /** Records what the settings say now when it is not what they said before; not while the workspace is locked. */
  adoptSettings(): void;
  /** A table went, with its retention. */
  tableDeleted(table: string): void;
}

export interface RetentionChangesParts {
  readonly workspaceId: WorkspaceId;
  readonly settings: RetentionSettings;
  readonly store: ChangeStore;
  readonly lock: WorkspaceLock;
  readonly tables: Pick<KeptTables, 'schemas' | 'segments'>;
  readonly now: () => number;
  readonly enter: EnterAudit;
  readonly onEvent: OnRetentionEvent;
  readonly log: Logger;
}

export function createRetentionChanges(parts: RetentionChangesParts): RetentionChanges {
  const { workspaceId, settings, store, lock, tables, now, enter, onEvent, log } = parts;
  const policy = (): RetentionPolicy => ({ changes: store.all(), locks: lock.times() });

  const changeTo = (setting: Setting, source: Change['source'], by: By, shortens: boolean): Change => {
    const requestedAt = now();
    return { setting, source, isTakeBack: false, requestedAt, effectiveAt: shortens ? requestedAt + settings.graceDays * DAY_MS : requestedAt, by };
  };

  const record = (change: Change, from: string, before: InForce): void => {
    store.add(change);
    const { setting, isTakeBack, requestedAt, effectiveAt, by } = change;
    const waits = effectiveAt > requestedAt;
    const what = isTakeBack ? `${nameOfTarget(setting)} stays` : wordsOf(setting, before);
    const detail = waits ? `${what}, on ${new Date(effectiveAt).toISOString()}` : what;
    const action = isTakeBack ? 'retention.take-back' : 'retention.change';
    enter({ actor: auditActor(by), action, on: `${workspaceId} ${targetOf(setting)}`, from, result: 'done', detail });
    const isShortened = waits || isShorter(before, applied(before, setting));
    const kind = isTakeBack ? 'retention-taken-back' : isShortened ? 'retention-shortened' : 'retention-lengthened';
    onEvent({ kind, workspaceId, at: requestedAt, by: nameOf(by), what, effectiveAt });
  };

  const adopt = (setting: Setting): void => {
    const { inForce } = policyAt(policy(), now());
    const change = changeTo(setting, 'settings', SYSTEM, isShorter(inForce, applied(inForce, setting)));
    record(change, SYSTEM.name, inForce);
    if (change.effectiveAt > change.requestedAt) {
      log.warn({ workspaceId, effectiveAt: new Date(change.effectiveAt).toISOString() }, 'the settings shorten the retention; it takes effect after the grace');
    }
  };

  return {
    policy,
    async set(actor, setting, confirm) {
      const what = targetOf(setting);
      const known = setting.target === 'default' || (await tables.schemas()).some(({ name }) => name === setting.table);
      const segments = confirm ? [] : await tables.segments();
      // Nothing is waited for from here on: what is found holds until it is recorded.
      const locked = lock.refusalOf(actor, 'retention.change', what);
      if (locked) return locked;
      if (setting.target === 'table' && !known) return { ok: false, refusal: noTable(setting.table) };
      const { inForce, pending } = policyAt(policy(), now());
      if (inForce.plan === 'free') return { ok: false, refusal: badArgument(FREE) };
      if (isAsked(setting, inForce, pending)) return DONE;
      const after = applied(inForce, setting);
      const shortens = isShorter(inForce, after);
      const change = changeTo(setting, 'order', actor, shortens);
      if (shortens && !confirm) return { ok: false, refusal: needsConfirmation(wordsOf(setting, inForce), wouldGo(segments, inForce, after, now()), change) };
      record(change, actor.from, inForce);
      return DONE;
    },
    takeBack(actor, table) {
      const target = table === undefined ? 'default' : `table ${table}`;
      const locked = lock.refusalOf(actor, 'retention.change', target);
      if (locked) return locked;
      const { inForce, pending } = policyAt(policy(), now());
      const waiting = pending.find(({ setting }) => targetOf(setting) === target);
      if (!waiting) return { ok: false, refusal: conflict(`No change of the retention of ${target} waits: there is nothing to take back.`) };
      record({ ...changeTo(waiting.setting, 'order', actor, false), isTakeBack: true }, actor.from, inForce);
      return DONE;
    },
    adoptSettings() {
      const changes = store.all();
      const fresh = freshSettings(settings, changes);
      if (fresh.length === 0) return;
      if (!changes.some(({ source }) => source === 'settings')) return begin(fresh);
      if (lock.isLocked())
        return log.warn({ workspaceId }, 'the settings change the retention, but the workspace is locked: it stays until the lock is lifted');
      fresh.forEach(adopt);
    },
    tableDeleted(table) {
      const { inForce, pending } = policyAt(policy(), now());
      const setting: Setting = { target: 'table', table, days: undefined };
      if (inForce.tables.has(table) || pending.some((change) => targetOf(change.setting) === targetOf(setting))) {
        store.add(changeTo(setting, 'deletion', SYSTEM, false));
      }
    },
  };

  // The first start: nothing was promised before.
  function begin(wanted: readonly Setting[]): void {
    for (const setting of wanted) store.add(changeTo(setting, 'settings', SYSTEM, false));
  }
}

const DONE: Ordered<void> = { ok: true, value: undefined };

const FREE = `Plan "free" keeps all tables ${RETENTION_DAYS.free} days. To set the retention, change "plan" in the workspace's settings to "paid" and restart.`;

/** Whether the setting is what is in force, or what waits: nothing is to be recorded, and a grace that runs goes on. */
function isAsked(setting: OrderedSetting, inForce: InForce, pending: readonly Pending[]): boolean {
  const waiting = pending.find((change) => targetOf(change.setting) === targetOf(setting));
  if (waiting) return isSameSetting(waiting.setting, setting);
  return setting.days === (setting.target === 'default' ? inForce.days : inForce.tables.get(setting.table));
}

function wordsOf(setting: Setting, before: InForce): string {
  if (setting.target === 'plan') return `plan from ${before.plan} to ${setting.plan}`;
  const after = applied(before, setting);
  const [from, to] = setting.target === 'table' ? [daysOf(setting.table, before), daysOf(setting.table, after)] : [defaultDaysOf(before), defaultDaysOf(after)];
  return `${nameOfTarget(setting)} from ${from} to ${to} days`;
}

function nameOfTarget(setting: Setting): string {
  return `retention of ${setting.target === 'table' ? setting.table : 'the workspace'}`;
}
