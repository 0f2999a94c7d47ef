/** Access for support people: asked for, decided by an owner, over by itself. What it permits is found anew at each use. */
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { AccessEvent } from './access-event.ts';
import type { NewRequest } from './access-input.ts';
import { type Actor, type By, nameOf, type Outcome, SYSTEM } from './actor.ts';
import { badArgument, conflict, insufficient, notHere, refused, shownId } from './refusals.ts';
import type { Registrar } from './registrar.ts';
import { DECISIONS, type Decision, endsAt, stateOf, whyNot } from './request-state.ts';
import type { RequestStore, StoredRequest } from './request-store.ts';
import type { Role } from './rights.ts';
import { type ShownRequest, showRequest } from './shown-request.ts';
import type { TokenStore } from './token-store.ts';
import type { Chance } from './token-text.ts';
import { isUsable } from './tokens.ts';

const MINUTE_MS = 60_000;
const ID_BYTES = 6;
const MAX_OPEN = 5;
const MAX_SHOWN = 1_000;
const ACTIONS = { approved: 'approve', rejected: 'reject', withdrawn: 'withdraw' } as const;

export interface Approvals {
  /** Asks for a role: a support person for itself, an owner or the operator for a support person they name. */
  request(actor: Actor, workspaceId: WorkspaceId, wanted: NewRequest): Outcome<ShownRequest>;
  /** The newest thousand of a workspace; only their own for a support person. */
  list(actor: Actor, workspaceId: WorkspaceId): ShownRequest[];
  decide(actor: Actor, workspaceId: WorkspaceId, id: string, decision: Decision, comment: string): Outcome<ShownRequest>;
  /** The roles a support person has in a workspace at this moment. */
  rolesOf(supportId: string, workspaceId: WorkspaceId): Role[];
  /** Notes the end of what is over, and tells of it. Nothing waits for it: it never fails. */
  endWhatIsOver(): void;
}

export interface ApprovalsParts {
  readonly store: RequestStore;
  readonly tokens: Pick<TokenStore, 'find'>;
  readonly registrar: Registrar;
  readonly onEvent: (event: AccessEvent) => void;
  readonly now: () => number;
  readonly chance: Chance;
  readonly log: Logger;
}

export function createApprovals({ store, tokens, registrar, onEvent, now, chance, log }: ApprovalsParts): Approvals {
  const supportName = (id: string): string => tokens.find(id)?.name ?? id;
  const shown = (request: StoredRequest): ShownRequest => showRequest(request, supportName(request.supportId), now());
  const about = ({ id, workspaceId, supportId, role }: StoredRequest) => ({ at: now(), workspaceId, requestId: id, support: supportName(supportId), role });

  const noteEnd = (request: StoredRequest): void => {
    const state = stateOf(request, now());
    if (state !== 'ended' && state !== 'expired') return;
    const comment = state === 'ended' ? 'its time is over' : 'nobody decided it in time';
    store.addStep(request.id, { step: state, at: endsAt(request) ?? now(), by: SYSTEM, comment });
    registrar.bySystem(state === 'ended' ? 'access-request.end' : 'access-request.expire', request.workspaceId, `request ${request.id}`, comment);
    if (state === 'ended') onEvent({ kind: 'access-ended', ...about(request), why: 'time-over' });
  };
  const noteEnds = (of?: Parameters<RequestStore['open']>[0]): void => {
    try {
      store.open(of).forEach(noteEnd);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the end of a support access could not be noted; it is over all the same, and is noted later');
    }
  };

  const add = (actor: Actor, workspaceId: WorkspaceId, supportId: string, { role, reason, minutes }: NewRequest): StoredRequest => {
    const requestedBy: By = { kind: actor.kind, id: actor.id, name: actor.name };
    const id = `ar-${chance(ID_BYTES).toString('hex')}`;
    const request = { id, supportId, workspaceId, role, reason, durationMs: minutes * MINUTE_MS, requestedAt: now(), requestedBy };
    store.add(request);
    return { ...request, steps: [] };
  };

  const supportIdIn = (actor: Actor, workspaceId: WorkspaceId, wanted: NewRequest): Outcome<string> => {
    if (actor.kind === 'support') {
      if (wanted.support === undefined || wanted.support === actor.id) return { ok: true, value: actor.id };
      return refused(insufficient('support asks for itself only. Leave "support" out.'));
    }
    if (wanted.support === undefined) return refused(badArgument('"support" is missing: name the id of the support person\'s token.'));
    const token = tokens.find(wanted.support);
    const isOne = token?.role === 'support' && isUsable(token, workspaceId, now());
    return isOne ? { ok: true, value: token.id } : refused(notHere('usable support token', wanted.support));
  };

  return {
    request(actor, workspaceId, wanted) {
      const order = { actor, action: 'access-request.create', workspaceId };
      const support = supportIdIn(actor, workspaceId, wanted);
      if (!support.ok) return registrar.entered({ ...order, what: 'requests' }, support);
      noteEnds({ supportId: support.value, workspaceId });
      if (store.open({ supportId: support.value, workspaceId }).length >= MAX_OPEN) {
        const refusal = conflict(`There are ${MAX_OPEN} open requests of this support person. Have them decided or withdrawn first.`);
        return registrar.entered({ ...order, what: 'requests' }, refused(refusal));
      }
      const made = add(actor, workspaceId, support.value, wanted);
      const detail = `${made.role} for ${wanted.minutes} min for support ${supportName(made.supportId)}: ${made.reason}`;
      registrar.entered({ ...order, what: `request ${made.id}` }, { ok: true, value: undefined }, detail);
      onEvent({ kind: 'access-requested', ...about(made), reason: made.reason });
      return { ok: true, value: shown(made) };
    },
    list: (actor, workspaceId) =>
      store
        .of(workspaceId, MAX_SHOWN)
        .filter(({ supportId }) => actor.kind !== 'support' || supportId === actor.id)
        .map(shown),
    decide(actor, workspaceId, id, decision, comment) {
      const order = { actor, action: `access-request.${ACTIONS[decision]}`, workspaceId, what: `request ${shownId(id)}` };
      const request = store.find(id);
      // Known by its id in another workspace is as unknown as any.
      if (!request || request.workspaceId !== workspaceId) return registrar.entered(order, refused(notHere('request', id)));
      const why = whyNot(actor, decision, request);
      if (why !== undefined) return registrar.entered(order, refused(insufficient(why)));
      const before = stateOf(request, now());
      if (!DECISIONS[decision].includes(before)) {
        return registrar.entered(order, refused(conflict(`Request ${id} is ${before} already and cannot be ${decision}.`)));
      }
      store.addStep(id, { step: decision, at: now(), by: actor, comment });
      const after = store.find(id) ?? request;
      registrar.entered(order, { ok: true, value: undefined }, `${request.role} for support ${supportName(request.supportId)}: ${comment}`);
      if (decision === 'approved') onEvent({ kind: 'access-approved', ...about(after), until: endsAt(after) ?? now(), by: nameOf(actor) });
      if (before === 'approved') onEvent({ kind: 'access-ended', ...about(after), why: 'withdrawn' });
      return { ok: true, value: shown(after) };
    },
    rolesOf(supportId, workspaceId) {
      noteEnds({ supportId, workspaceId });
      return store
        .open({ supportId, workspaceId })
        .filter((request) => stateOf(request, now()) === 'approved')
        .map(({ role }) => role);
    },
    endWhatIsOver: () => noteEnds(),
  };
}
