/**
 * The lock of a workspace: while it is set nothing is purged or deleted on anybody's order, and the retention stays as it is.
 * Rows that are past the retention in force go on leaving.
 */
import type { EnterAudit } from '../../audit/entry.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type Actor, auditActor, nameOf } from '../access/actor.ts';
import { conflict } from '../access/refusals.ts';
import type { Action } from '../access/rights.ts';
import type { LockStep, LockStore } from './lock-store.ts';
import type { OnRetentionEvent } from './retention-event.ts';
import type { LockedTime } from './retention-policy.ts';
import { type Ordered, scopeLocked } from './retention-refusals.ts';

/** A lock as people see it. Times are ISO 8601, UTC. */
export interface ShownLock {
  readonly locked: boolean;
  readonly since: string | undefined;
  readonly by: string | undefined;
  readonly reason: string | undefined;
  /** Who set and lifted locks, and why, the oldest first. */
  readonly steps: readonly { readonly step: LockStep['step']; readonly at: string; readonly by: string; readonly reason: string }[];
}

export interface WorkspaceLock {
  isLocked(): boolean;
  /** When the workspace was locked, in order. */
  times(): LockedTime[];
  show(): ShownLock;
  /** The refusal of what the lock forbids, entered as such; undefined when there is no lock. */
  refusalOf(actor: Actor, action: Action, what: string): Ordered<never> | undefined;
  set(actor: Actor, reason: string): Ordered<ShownLock>;
  lift(actor: Actor, reason: string): Ordered<ShownLock>;
}

export interface WorkspaceLockParts {
  readonly workspaceId: WorkspaceId;
  readonly store: LockStore;
  readonly now: () => number;
  readonly enter: EnterAudit;
  readonly onEvent: OnRetentionEvent;
  /** Called once a lock is lifted. */
  readonly onLifted: () => void;
}

export function createWorkspaceLock({ workspaceId, store, now, enter, onEvent, onLifted }: WorkspaceLockParts): WorkspaceLock {
  const inForce = (): LockStep | undefined => {
    const last = store.all().at(-1);
    return last?.step === 'set' ? last : undefined;
  };
  const show = (): ShownLock => shownLock(store.all());

  const add = (step: LockStep['step'], actor: Actor, reason: string): Ordered<ShownLock> => {
    const at = now();
    store.add({ step, at, by: actor, reason });
    const action = step === 'set' ? 'lock.set' : 'lock.lift';
    enter({ actor: auditActor(actor), action, on: workspaceId, from: actor.from, result: 'done', detail: reason });
    onEvent({ kind: step === 'set' ? 'lock-set' : 'lock-lifted', workspaceId, at, by: nameOf(actor), reason });
    return { ok: true, value: show() };
  };

  return {
    isLocked: () => inForce() !== undefined,
    times: () => lockedTimes(store.all()),
    show,
    refusalOf(actor, action, what) {
      const lock = inForce();
      if (!lock) return undefined;
      const refusal = scopeLocked(workspaceId, lock);
      enter({ actor: auditActor(actor), action, on: `${workspaceId} ${what}`, from: actor.from, result: 'refused', detail: refusal.message });
      onEvent({ kind: 'refused-by-lock', workspaceId, at: now(), by: nameOf(actor), action, what });
      return { ok: false, refusal };
    },
    set(actor, reason) {
      const lock = inForce();
      if (!lock) return add('set', actor, reason);
      const refusal = conflict(`The workspace is locked already, by ${nameOf(lock.by)}: "${lock.reason}". Lift that lock first to give another reason.`);
      return { ok: false, refusal };
    },
    lift(actor, reason) {
      if (!inForce()) return { ok: false, refusal: conflict('The workspace is not locked: there is nothing to lift.') };
      const lifted = add('lifted', actor, reason);
      onLifted();
      return lifted;
    },
  };
}

/** When a workspace was locked, from its steps in order. */
export function lockedTimes(steps: readonly LockStep[]): LockedTime[] {
  return steps.flatMap(({ step, at }, place) => (step === 'set' ? [{ from: at, to: steps[place + 1]?.at }] : []));
}

function shownLock(steps: readonly LockStep[]): ShownLock {
  const shown = steps.map(({ step, at, by, reason }) => ({ step, at: new Date(at).toISOString(), by: nameOf(by), reason }));
  const last = shown.at(-1);
  const lock = last?.step === 'set' ? last : undefined;
  return { locked: lock !== undefined, since: lock?.at, by: lock?.by, reason: lock?.reason, steps: shown };
}
