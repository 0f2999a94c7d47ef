/** Refusals by the codes of the Query API (its documentation, "Errors"), and those of our own routes. None tells whether another workspace exists. */
import type { AccessRefusal, Outcome } from './actor.ts';
import { type Action, rolesFor } from './rights.ts';

const MAX_ID_CHARS = 16;
const MAX_GUID_CHARS = 36;

/** 401: no token came. */
export function noToken(): AccessRefusal {
  return refusal(401, 'AuthenticationFailed', "Authentication failed: there is no access token. Send one in the header 'Authorization: Bearer <token>'.");
}

/** 403: the token is unknown, over or revoked. `why` is told only to who knows its secret. */
export function badToken(why: string): AccessRefusal {
  return refusal(403, 'InvalidAuthenticationToken', `The access token is invalid: ${why}`);
}

/** 429: too many wrong tokens came from this address. */
export function tooManyBadTokens(retryAfterS: number): AccessRefusal {
  const message = `Too many wrong access tokens came from this address. Come again in ${retryAfterS} s, or send the right token at once.`;
  return { ...refusal(429, 'TooManyRequests', message), retryAfterS };
}

/** 403: a good token, but not for this workspace; the same words whether there is such a workspace or not. */
export function otherWorkspace(): AccessRefusal {
  return insufficient('this token has no access to the workspace of the request. Ask an owner of that workspace for a token.');
}

/** 403: a good token of this workspace whose role does not permit the action. */
export function weakRole(role: string, action: Action): AccessRefusal {
  return insufficient(`${role} may not do "${action}" here. Ask somebody who is ${rolesFor(action).join(' or ')}.`);
}

/** 403, with what is missing. */
export function insufficient(why: string): AccessRefusal {
  return refusal(403, 'InsufficientAccessError', `The provided credentials have insufficient access: ${why}`);
}

/** 400: what was sent cannot be used. */
export function badArgument(message: string): AccessRefusal {
  return refusal(400, 'BadArgumentError', message);
}

/** 404: there is no such thing in this workspace; it may be in another. */
export function notHere(what: string, id: string): AccessRefusal {
  return refusal(404, 'NotFoundError', `This workspace has no ${what} "${shownId(id)}". Look at the list of its ${what}s.`);
}

/** 404, for the operator alone: this process has no such workspace. */
export function noWorkspace(id: string): AccessRefusal {
  return refusal(404, 'NotFoundError', `There is no workspace "${id.slice(0, MAX_GUID_CHARS)}" here. Check its GUID.`);
}

/** An id as a stranger gave it, short enough that a whole token in its place shows nothing of its secret. */
export function shownId(id: string): string {
  return id.slice(0, MAX_ID_CHARS);
}

/** 409: it is too late, or there are too many. */
export function conflict(message: string): AccessRefusal {
  return refusal(409, 'ConflictError', message);
}

/** The refusal as what came of an order. */
export function refused(found: AccessRefusal): Outcome<never> {
  return { ok: false, refusal: found };
}

function refusal(status: number, code: string, message: string): AccessRefusal {
  return { status, code, message };
}
