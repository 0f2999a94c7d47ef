import { nameOf } from './actor.ts';
import { endsAt, type RequestState, type Step, stateOf } from './request-state.ts';
import type { StoredRequest } from './request-store.ts';
import type { Role } from './rights.ts';

/** A request as people see it. Times are ISO 8601, UTC. */
export interface ShownRequest {
  readonly id: string;
  readonly support: { readonly id: string; readonly name: string };
  readonly role: Role;
  readonly minutes: number;
  readonly reason: string;
  readonly state: RequestState;
  readonly requestedAt: string;
  readonly requestedBy: string;
  /** When it ends by itself: undecided, or approved. */
  readonly endsAt: string | undefined;
  /** What was decided, by whom and why, in order. */
  readonly steps: readonly { readonly step: Step; readonly at: string; readonly by: string; readonly comment: string }[];
}

/** Shows a request as it is at this time. */
export function showRequest(request: StoredRequest, supportName: string, now: number): ShownRequest {
  const { id, supportId, role, durationMs, reason, requestedAt, requestedBy, steps } = request;
  const state = stateOf(request, now);
  const end = state === 'requested' || state === 'approved' ? endsAt(request) : undefined;
  return {
    id,
    support: { id: supportId, name: supportName },
    role,
    minutes: durationMs / 60_000,
    reason,
    state,
    requestedAt: new Date(requestedAt).toISOString(),
    requestedBy: nameOf(requestedBy),
    endsAt: end === undefined ? undefined : new Date(end).toISOString(),
    steps: steps.map(({ step, at, by, comment }) => ({ step, at: new Date(at).toISOString(), by: nameOf(by), comment })),
  };
}
