/** The one gate of a workspace: whose token is it, is it for this workspace, does its role permit the action. What it refuses is entered. */
import type { EnterAudit } from '../../audit/entry.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { AccessEvent } from './access-event.ts';
import { type AccessRefusal, type Actor, type Authorised, auditActor, type By, nameOf, UNKNOWN } from './actor.ts';
import type { Approvals } from './approvals.ts';
import type { BadTokens } from './bad-tokens.ts';
import { badToken, noToken, otherWorkspace, tooManyBadTokens, weakRole } from './refusals.ts';
import { type Action, mayDo, mayDoForAWhile } from './rights.ts';
import type { StoredToken, TokenStore } from './token-store.ts';
import { readAuthorization } from './token-text.ts';
import { identify, isUsable } from './tokens.ts';

/** Somebody wants to do something in a workspace. */
export interface Asked {
  /** The Authorization header's text. */
  readonly authorization: string | undefined;
  /** Undefined when what the request names is no workspace's id. */
  readonly workspaceId: WorkspaceId | undefined;
  readonly action: Action;
  /** The address of the peer. */
  readonly from: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type Authorise = (asked: Asked) => Authorised;

export interface AuthoriseParts {
  readonly store: TokenStore;
  readonly approvals: Pick<Approvals, 'rolesOf'>;
  readonly badTokens: BadTokens;
  readonly isHosted: (id: WorkspaceId) => boolean;
  readonly enter: EnterAudit;
  readonly onEvent: (event: AccessEvent) => void;
  readonly log: Logger;
}

export function createAuthorise({ store, approvals, badTokens, isHosted, enter, onEvent, log }: AuthoriseParts): Authorise {
  const refuse = ({ action, workspaceId, from }: Asked, who: By, refusal: AccessRefusal): Authorised => {
    const on = workspaceId ?? 'no workspace';
    enter({ actor: auditActor(who), action, on, from, result: 'refused', detail: `${refusal.code}: ${refusal.message}` });
    return { allowed: false, refusal };
  };

  const refuseToken = (asked: Asked, token: StoredToken | undefined, why: string): Authorised => {
    const { from, now } = asked;
    const note = badTokens.note(from, now);
    if (note.limited) {
      const refusal = tooManyBadTokens(note.retryAfterS);
      // Neither the log nor anybody's mailbox can be filled: the first of a minute's refusals says it.
      return note.isFirst ? refuse(asked, UNKNOWN, refusal) : { allowed: false, refusal };
    }
    onEvent({ kind: 'bad-tokens', at: now, from, count: note.count, limited: note.isLast });
    return refuse(asked, token ? holder(token) : UNKNOWN, badToken(why));
  };

  const roleIn = (token: StoredToken, workspaceId: WorkspaceId, action: Action): Actor['role'] | undefined => {
    if (mayDo(token.role, action)) return token.role;
    return token.role === 'support' ? approvals.rolesOf(token.id, workspaceId).find((role) => mayDoForAWhile(role, action)) : undefined;
  };

  const noteUse = (token: StoredToken, workspaceId: WorkspaceId, now: number): void => {
    const day = new Date(now).toISOString().slice(0, 10);
    try {
      if (store.lastUse(token.id, workspaceId) !== day) store.noteUse(token.id, workspaceId, day);
    } catch (error) {
      // A full disk must not keep people out.
      log.warn({ token: token.id, reason: messageOf(error) }, "the day of a token's last use could not be noted; the next use tries again");
    }
  };

  return (asked) => {
    const { workspaceId, action, from, now } = asked;
    const read = readAuthorization(asked.authorization);
    if (read.found === 'none') return refuse(asked, UNKNOWN, noToken());
    const identified = identify(read, store, now);
    const { token } = identified;
    if (!identified.good) return refuseToken(asked, token, identified.why);
    const who = holder(identified.token);
    if (workspaceId === undefined || !isHosted(workspaceId) || !isUsable(identified.token, workspaceId, now)) return refuse(asked, who, otherWorkspace());
    const role = roleIn(identified.token, workspaceId, action);
    if (role === undefined) return refuse(asked, who, weakRole(standingOf(identified.token), action));
    noteUse(identified.token, workspaceId, now);
    return { allowed: true, actor: { ...who, role, from } };
  };
}

function holder({ id, name, role }: StoredToken): By & { readonly kind: 'token' | 'support' } {
  return { kind: role === 'support' ? 'support' : 'token', id, name };
}

function standingOf(token: StoredToken): string {
  return token.role === 'support' ? `${nameOf(holder(token))}, by what is approved at this moment,` : `${nameOf(holder(token))}, ${token.role},`;
}
