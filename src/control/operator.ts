/**
 * Who gave a command, for the audit log. A Unix socket does not tell Node who is at its other end, so this is what the command line claims;
 * the socket can be opened by the relay's own account and by root alone.
 */
import { userInfo } from 'node:os';
import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import type { AuditEvent, EnterAudit } from '../audit/entry.ts';
import { messageOf, RelayError } from '../errors.ts';

/** Header in which the command line names its user. */
export const OPERATOR_HEADER = 'x-relay-operator';
const MAX_NAME_CHARS = 100;
const MAX_DETAIL_CHARS = 200;

/** What every entry about a command of an operator has in common. */
export type ByOperator = Pick<AuditEvent, 'actor' | 'from'>;

/** The user of this process, as the command line sends it. */
export function operatorHeader(): string {
  return encodeURIComponent(userName());
}

/** The name of the account this process runs as. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'a user without a name';
  }
}

/** Who a request says it is from. */
export function byOperator(request: Request): ByOperator {
  const claimed: unknown = request.headers[OPERATOR_HEADER];
  const name =
    typeof claimed === 'string'
      ? decoded(claimed)
          .replaceAll(/\p{Cc}/gu, '')
          .slice(0, MAX_NAME_CHARS)
          .trim()
      : '';
  return { actor: { kind: 'operator', name: name || 'unknown' }, from: 'socket' };
}

/** A handler of a route. */
export type Handler = (request: Request, h: ResponseToolkit) => Lifecycle.ReturnValue;

/** How calls of a handler are entered. */
export interface Audited {
  readonly audit: EnterAudit;
  readonly action: string;
  /** On what; the name in the request's path unless given. */
  readonly on?: (request: Request, answer: unknown) => string;
  readonly detail?: (request: Request, answer: unknown) => string | undefined;
}

/** Does `work` and enters how it ended before anybody hears of it. */
export async function entered<T>(
  audit: EnterAudit,
  event: Omit<AuditEvent, 'result' | 'detail'>,
  work: () => Promise<T>,
  detail: (answer: T) => string | undefined = () => undefined,
): Promise<T> {
  let answer: T;
  try {
    answer = await work();
  } catch (cause) {
    audit({ ...event, result: cause instanceof RelayError ? 'refused' : 'failed', detail: messageOf(cause).slice(0, MAX_DETAIL_CHARS) });
    throw cause;
  }
  audit({ ...event, result: 'done', detail: orNothing(() => detail(answer)) });
  return answer;
}

/** A handler whose every call is entered before it is answered, refused and failed ones too. */
export function audited(handler: Handler, { audit, action, on = nameIn, detail = () => undefined }: Audited): Handler {
  return async (request, h) => {
    const event = { ...byOperator(request), action };
    const onWhat = (answer: unknown): string => orNothing(() => on(request, answer)) || nameIn(request) || action;
    let answer: unknown;
    try {
      answer = await Promise.resolve(handler(request, h));
    } catch (cause) {
      const result = cause instanceof RelayError ? 'refused' : 'failed';
      audit({ ...event, on: onWhat(undefined), result, detail: messageOf(cause).slice(0, MAX_DETAIL_CHARS) });
      throw cause;
    }
    audit({ ...event, on: onWhat(answer), result: 'done', detail: orNothing(() => detail(request, answer)) });
    return answer as Lifecycle.ReturnValue;
  };
}

// What was done must be entered even when nobody can say more about it.
function orNothing(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function nameIn(request: Request): string {
  return String((request.params as { name?: unknown }).name ?? '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
