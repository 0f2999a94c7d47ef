import { isSameSecret } from '../../same-secret.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { NewToken } from './access-input.ts';
import { type Actor, nameOf, type Outcome } from './actor.ts';
import { conflict, insufficient, notHere, refused, shownId } from './refusals.ts';
import type { Registrar } from './registrar.ts';
import { mayDo, type Standing } from './rights.ts';
import type { StoredToken, TokenStore } from './token-store.ts';
import { type Chance, newTokenText, type ReadToken } from './token-text.ts';

const DAY_MS = 86_400_000;
const MAX_USABLE = 1_000;

/** A token as one workspace sees it. It never tells of the token's other workspaces. Times are ISO 8601, UTC. */
export interface ShownToken {
  readonly id: string;
  readonly name: string;
  readonly role: Standing;
  readonly state: 'usable' | 'expired' | 'revoked';
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string;
  /** The day of the last use in this workspace. */
  readonly lastUsed: string | undefined;
  readonly revokedAt: string | undefined;
}

/** `secret` is the token's whole text, given this once. */
export type CreatedToken = ShownToken & { readonly secret: string };

export interface Tokens {
  /** Makes a token for a workspace and those named besides; the actor must be able to grant in each. */
  create(actor: Actor, workspaceId: WorkspaceId, wanted: NewToken): Outcome<CreatedToken>;
  /** Every token the workspace has ever had, the oldest first. */
  list(workspaceId: WorkspaceId): ShownToken[];
  /** Ends a token's access to this workspace, at its next use. A token of several keeps the others. */
  revoke(actor: Actor, workspaceId: WorkspaceId, id: string): Outcome<ShownToken>;
}

export interface TokensParts {
  readonly store: TokenStore;
  readonly isHosted: (id: WorkspaceId) => boolean;
  readonly registrar: Registrar;
  readonly now: () => number;
  readonly chance: Chance;
}

export function createTokens({ store, isHosted, registrar, now, chance }: TokensParts): Tokens {
  const shown = (token: StoredToken, workspaceId: WorkspaceId): ShownToken => showToken(token, workspaceId, store.lastUse(token.id, workspaceId), now());

  const whyNot = (actor: Actor, workspaces: readonly WorkspaceId[], wanted: NewToken): ReturnType<typeof conflict> | undefined => {
    if (!workspaces.every((id) => isHosted(id) && mayGrant(actor, store.find(actor.id), id))) {
      return insufficient('you cannot give access to each of these workspaces. Name only those that are here and that you own.');
    }
    for (const id of workspaces) {
      const usable = store.of(id).filter((token) => isUsable(token, id, now()));
      if (usable.some((token) => token.name === wanted.name)) return conflict(`There is a usable token named "${wanted.name}". Choose another name.`);
      if (usable.length >= MAX_USABLE) return conflict(`There are ${MAX_USABLE} usable tokens. Revoke some that nobody uses.`);
    }
    return undefined;
  };

  const make = (actor: Actor, workspaces: readonly WorkspaceId[], { name, role, days }: NewToken): { readonly token: StoredToken; readonly secret: string } => {
    const { id, text, secretSha256 } = newTokenText(chance);
    const createdBy = { kind: actor.kind, id: actor.id, name: actor.name };
    const token = { id, name, role, secretSha256, createdAt: now(), expiresAt: now() + days * DAY_MS, createdBy };
    store.add(token, workspaces);
    return { token: { ...token, workspaces: new Map(workspaces.map((each) => [each, undefined])) }, secret: text };
  };

  return {
    create(actor, workspaceId, wanted) {
      const workspaces = [...new Set([workspaceId, ...wanted.workspaces])];
      const refusal = whyNot(actor, workspaces, wanted);
      const order = { actor, action: 'access-token.create' };
      if (refusal) return registrar.entered({ ...order, workspaceId, what: 'tokens' }, refused(refusal));
      const { token, secret } = make(actor, workspaces, wanted);
      // Each workspace's owners must find it under their own.
      for (const each of workspaces) {
        const until = new Date(token.expiresAt).toISOString();
        registrar.entered(
          { ...order, workspaceId: each, what: `token ${token.id}` },
          { ok: true, value: undefined },
          `${token.name}: ${token.role} until ${until}`,
        );
      }
      return { ok: true, value: { ...shown(token, workspaceId), secret } };
    },
    list: (workspaceId) => store.of(workspaceId).map((token) => shown(token, workspaceId)),
    revoke(actor, workspaceId, id) {
      const order = { actor, action: 'access-token.revoke', workspaceId, what: `token ${shownId(id)}` };
      const token = store.find(id);
      if (!token?.workspaces.has(workspaceId)) return registrar.entered(order, refused(notHere('token', id)));
      if (token.workspaces.get(workspaceId) !== undefined) return registrar.entered(order, refused(conflict(`Token ${id} is revoked already.`)));
      store.revoke(id, workspaceId, now(), actor);
      return registrar.entered(order, { ok: true, value: shown(store.find(id) ?? token, workspaceId) }, token.name);
    },
  };
}

/** What a token read from a request is. `why` tells what is wrong with a token to who knows its secret; others learn nothing. */
export type Identified =
  | { readonly good: true; readonly token: StoredToken }
  | { readonly good: false; readonly token: StoredToken | undefined; readonly why: string };

/** Finds whose token this is, and whether it is still good for anything. */
export function identify(read: Exclude<ReadToken, { readonly found: 'none' }>, store: Pick<TokenStore, 'find'>, now: number): Identified {
  const token = read.found === 'token' ? store.find(read.id) : undefined;
  // Compared in any case, so that the time taken tells nothing of ids.
  const isKnown = isSameSecret(read.found === 'token' ? read.secretSha256 : '', token?.secretSha256 ?? 'none');
  if (!token || !isKnown) return { good: false, token: undefined, why: 'it is not one of this service. Send it exactly as it was given out.' };
  if (now >= token.expiresAt) {
    const at = new Date(token.expiresAt).toISOString();
    return { good: false, token, why: `token "${token.name}" expired at ${at}. Ask an owner of the workspace for a new one.` };
  }
  const isRevoked = [...token.workspaces.values()].every((revokedAt) => revokedAt !== undefined);
  return isRevoked ? { good: false, token, why: `token "${token.name}" was revoked. Ask an owner of the workspace for a new one.` } : { good: true, token };
}

/** Whether a token gives access to a workspace now. */
export function isUsable(token: StoredToken, workspaceId: WorkspaceId, now: number): boolean {
  return now < token.expiresAt && token.workspaces.has(workspaceId) && token.workspaces.get(workspaceId) === undefined;
}

// Asked for every workspace that a new token names, not only for the one in the path: nobody grants where they are no owner.
function mayGrant(actor: Actor, own: StoredToken | undefined, workspaceId: WorkspaceId): boolean {
  if (actor.kind === 'operator') return true;
  if (actor.kind === 'support' || !own || !mayDo(own.role, 'access.grant')) return false;
  return own.workspaces.has(workspaceId) && own.workspaces.get(workspaceId) === undefined;
}

function showToken(token: StoredToken, workspaceId: WorkspaceId, lastUsed: string | undefined, now: number): ShownToken {
  const { id, name, role, createdAt, createdBy, expiresAt } = token;
  const revokedAt = token.workspaces.get(workspaceId);
  const ended = revokedAt !== undefined ? 'revoked' : 'expired';
  return {
    id,
    name,
    role,
    state: isUsable(token, workspaceId, now) ? 'usable' : ended,
    createdAt: new Date(createdAt).toISOString(),
    createdBy: nameOf(createdBy),
    expiresAt: new Date(expiresAt).toISOString(),
    lastUsed,
    revokedAt: revokedAt === undefined ? undefined : new Date(revokedAt).toISOString(),
  };
}
