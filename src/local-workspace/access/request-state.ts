/** The life of a request for access, and who may decide it. Pure: times are compared at each use, so that no timer has to fire for access to end. */
import type { Actor, By } from './actor.ts';

/** A request that nobody decides within these milliseconds ends. */
export const DECIDE_WITHIN_MS: number = 12 * 3_600_000;

/** How a request goes on. Each but `approved` is its end. */
export type Step = 'approved' | 'rejected' | 'expired' | 'withdrawn' | 'ended';

export type RequestState = 'requested' | Step;

export interface Timing {
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  /** How long access lasts once it is approved. */
  readonly durationMs: number;
  /** What happened since, in order. */
  readonly steps: readonly { readonly step: Step; readonly at: number }[];
}

/** Where a request is at this time. An end that is noted stays one, also when the clock is set back. */
export function stateOf({ requestedAt, durationMs, steps }: Timing, now: number): RequestState {
  const last = steps.at(-1);
  if (!last) return now < requestedAt + DECIDE_WITHIN_MS ? 'requested' : 'expired';
  if (last.step !== 'approved') return last.step;
  return now < last.at + durationMs ? 'approved' : 'ended';
}

/** When the state changes by itself; undefined when it does not. */
export function endsAt({ requestedAt, durationMs, steps }: Timing): number | undefined {
  const last = steps.at(-1);
  if (!last) return requestedAt + DECIDE_WITHIN_MS;
  return last.step === 'approved' ? last.at + durationMs : undefined;
}

export type Decision = 'approved' | 'rejected' | 'withdrawn';

/** From which states each decision can be made. */
export const DECISIONS: Readonly<Record<Decision, readonly RequestState[]>> = {
  approved: ['requested'],
  rejected: ['requested'],
  withdrawn: ['requested', 'approved'],
};

/**
 * Why this actor may not make the decision, in words; undefined when it may. Two people are needed for a yes: neither who gets the access
 * nor who entered the request can give it. A no takes one.
 */
export function whyNot(actor: Actor, decision: Decision, request: { readonly supportId: string; readonly requestedBy: By }): string | undefined {
  if (actor.kind === 'support') return 'support does not decide on access, whatever its role. Ask an owner of the workspace.';
  if (actor.role !== 'owner') return `${actor.role} does not decide on access. Ask an owner of the workspace.`;
  if (decision !== 'approved') return undefined;
  const isOwn = actor.id === request.supportId || (actor.kind === request.requestedBy.kind && actor.id === request.requestedBy.id);
  return isOwn ? 'nobody approves a request that they made or entered. Ask another owner of the workspace.' : undefined;
}
