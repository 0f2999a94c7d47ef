/** Retention as the service shows it: tables by API version 2022-10-01, workspaces by 2023-09-01. What is ours beside it: `pending`, `graceInDays`, `locked`. */
import { nameOf } from '../access/actor.ts';
import { effectiveRetention, type Pending, policyAt, type RetentionPolicy } from './retention-policy.ts';
import { applied, daysOf, defaultDaysOf, type InForce } from './retention-rule.ts';
import type { RetentionSettings } from './retention-settings.ts';

/** A change that waits. Times are ISO 8601, UTC. */
export interface ShownPending {
  readonly retentionInDays: number;
  readonly requestedAt: string;
  readonly requestedBy: string;
  /** Undefined while a lock holds it up; it takes effect when the lock is lifted then, and not before `graceEndsAt`. */
  readonly effectiveAt: string | undefined;
  readonly graceEndsAt: string;
}

export interface ShownTable {
  readonly name: string;
  readonly properties: {
    /** What is in force. */
    readonly retentionInDays: number;
    readonly totalRetentionInDays: number;
    readonly archiveRetentionInDays: 0;
    readonly retentionInDaysAsDefault: boolean;
    readonly totalRetentionInDaysAsDefault: boolean;
    readonly plan: 'Analytics';
    readonly provisioningState: 'Succeeded' | 'InProgress';
    readonly pending?: ShownPending | undefined;
  };
}

export interface ShownWorkspace {
  readonly name: string;
  readonly properties: {
    readonly customerId: string;
    /** What is in force. */
    readonly retentionInDays: number;
    readonly sku: { readonly name: 'Free' | 'PerGB2018' };
    readonly provisioningState: 'Succeeded' | 'InProgress';
    readonly graceInDays: number;
    readonly locked: boolean;
    readonly pending?: ShownPending | undefined;
    /** A change of plan that waits. */
    readonly pendingPlan?: (ShownPending & { readonly sku: { readonly name: 'Free' | 'PerGB2018' } }) | undefined;
  };
}

export function showTable(name: string, policy: RetentionPolicy, now: number): ShownTable {
  const { inForce, pending } = policyAt(policy, now);
  const days = effectiveRetention(name, policy, now);
  const isDefault = inForce.plan === 'free' || !inForce.tables.has(name);
  const own = pending.find(({ setting }) => setting.target === 'table' && setting.table === name);
  return {
    name,
    properties: {
      retentionInDays: days,
      totalRetentionInDays: days,
      archiveRetentionInDays: 0,
      retentionInDaysAsDefault: isDefault,
      totalRetentionInDaysAsDefault: isDefault,
      plan: 'Analytics',
      provisioningState: own ? 'InProgress' : 'Succeeded',
      ...(own && { pending: showPending(own, daysOf(name, applied(inForce, own.setting))) }),
    },
  };
}

export interface WorkspaceFacts {
  readonly workspaceId: string;
  readonly settings: RetentionSettings;
  readonly isLocked: boolean;
}

export function showWorkspace({ workspaceId, settings, isLocked }: WorkspaceFacts, policy: RetentionPolicy, now: number): ShownWorkspace {
  const { inForce, pending } = policyAt(policy, now);
  const daysAfter = ({ setting }: Pending): number => defaultDaysOf(applied(inForce, setting));
  const own = pending.find(({ setting }) => setting.target === 'default');
  const plan = pending.find(({ setting }) => setting.target === 'plan');
  return {
    name: workspaceId,
    properties: {
      customerId: workspaceId,
      retentionInDays: Math.max(defaultDaysOf(inForce), ...pending.map(daysAfter)),
      sku: skuOf(inForce),
      provisioningState: own || plan ? 'InProgress' : 'Succeeded',
      graceInDays: settings.graceDays,
      locked: isLocked,
      ...(own && { pending: showPending(own, daysAfter(own)) }),
      ...(plan && { pendingPlan: { ...showPending(plan, daysAfter(plan)), sku: skuOf(applied(inForce, plan.setting)) } }),
    },
  };
}

function skuOf({ plan }: InForce): { readonly name: 'Free' | 'PerGB2018' } {
  return { name: plan === 'free' ? 'Free' : 'PerGB2018' };
}

function showPending({ requestedAt, by, effectiveAt, takesEffectAt }: Pending, retentionInDays: number): ShownPending {
  return {
    retentionInDays,
    requestedAt: new Date(requestedAt).toISOString(),
    requestedBy: nameOf(by),
    effectiveAt: Number.isFinite(takesEffectAt) ? new Date(takesEffectAt).toISOString() : undefined,
    graceEndsAt: new Date(effectiveAt).toISOString(),
  };
}
