import type { ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { AccessRefusal } from '../../access/actor.ts';
import { QUERY_ERRORS, type QueryErrorName } from './query-errors.ts';
import type { TextFault } from './query-runner.ts';
import { stamped } from './request-ids.ts';

/** An error on its way out. */
export interface QueryError {
  readonly error: QueryErrorName;
  /** What was wrong, the value found, what to do. */
  readonly message: string;
  readonly retryAfterS?: number;
  /** Where in the query's text. */
  readonly fault?: TextFault;
}

interface ErrorInfo {
  readonly message: string;
  readonly code: string;
  readonly correlationId: string;
  readonly innererror?: InnerError;
}

interface InnerError {
  readonly code: string;
  readonly message: string;
  readonly innererror?: { readonly code: string; readonly message: string; readonly line: number; readonly pos: number; readonly token: string };
}

const FAULT_WORDS = { 'syntax-error': 'A recognition error occurred in the query.', 'semantic-error': 'A semantic error occurred.' } as const;
const FAULT_CODES = { 'syntax-error': 'SYN0002', 'semantic-error': 'SEM0100' } as const;

/** Answers as the service does: `{ error: { message, code, correlationId, innererror? } }`. */
export function replyError(h: ResponseToolkit, error: QueryError, correlationId: string): ResponseObject {
  const { status } = QUERY_ERRORS[error.error];
  return reply(h, status, errorBody(error, correlationId), error.retryAfterS);
}

/** What `error` holds in an answer. */
export function errorBody({ error, message, fault }: QueryError, correlationId: string): ErrorInfo {
  const { code, inner, message: outer } = QUERY_ERRORS[error];
  if (inner === undefined) return { message, code, correlationId };
  const innererror = fault ? innerOf(inner, fault) : { code: inner, message };
  return { message: outer ?? message, code, correlationId, innererror };
}

export function replyRefusal(h: ResponseToolkit, refusal: AccessRefusal, correlationId: string): ResponseObject {
  const { status, code, message, retryAfterS } = refusal;
  const response = reply(h, status, { message, code, correlationId }, retryAfterS);
  // RFC 9110 §15.5.2: a 401 says how to sign in.
  return status === 401 ? response.header('www-authenticate', 'Bearer') : response;
}

function reply(h: ResponseToolkit, status: number, error: ErrorInfo, retryAfterS: number | undefined): ResponseObject {
  const response = stamped(h, h.response({ error }).code(status), error.correlationId);
  return retryAfterS === undefined ? response : response.header('retry-after', String(retryAfterS));
}

// The service counts a line's columns from 0 here; `TextFault` from 1.
function innerOf(code: string, fault: TextFault): InnerError {
  const { kind, message, line, position, token } = fault;
  const innererror = { code: fault.code ?? FAULT_CODES[kind], message, line, pos: position - 1, token };
  return { code, message: FAULT_WORDS[kind], innererror };
}
