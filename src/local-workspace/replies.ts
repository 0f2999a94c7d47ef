import type { Lifecycle, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import { writeTokenRefusal } from '../ingestion-protocol/token-refusal.ts';
import { writeRefusal } from '../oms-protocol/refusal-body.ts';
import { serviceOf } from './service-path.ts';

/** A request that is refused: one word for machines, one sentence that says why and what to do. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const refused = new WeakMap<Request, Refusal>();

/** What a request was refused with; undefined when it was not. */
export function refusalOf(request: Request): Refusal | undefined {
  return refused.get(request);
}

// The services whose clients look for a `<Reason>` (§1.7); the others get JSON.
const SPEAKS_XML = /^\/(?:agentservice|configurationservice)\.svc\//i;

/**
 * Answers a refusal the way the service at `path` does: XML with a Reason, `{ "error": { "code", "message" } }`, the same with the code in a
 * header, or what Entra writes. No code: an empty body.
 */
export function refuse(h: ResponseToolkit, path: string, refusal: Refusal): ResponseObject {
  const { status, code, message } = refusal;
  refused.set(h.request, refusal);
  if (SPEAKS_XML.test(path)) return h.response(writeRefusal(code, message)).code(status).type('application/xml');
  if (code === '') return h.response('').code(status);
  const service = serviceOf(path);
  if (service === 'token') return h.response(writeTokenRefusal({ error: tokenError(status), code: status, message }, h.request.info.received)).code(status);
  const response = h.response({ error: { code, message } }).code(status);
  return service === 'ingestion' ? response.header('x-ms-error-code', code) : response;
}

function tokenError(status: number): string {
  if (status === 401 || status === 403) return 'invalid_client';
  return status < 500 && status !== 429 ? 'invalid_request' : 'temporarily_unavailable';
}

/** Gives refusals that hapi makes itself (no such path, too large, too slow, our own failure) the same form. */
export const shapeRefusal: Lifecycle.Method = (request, h) => {
  const { response } = request;
  if (!('isBoom' in response)) return h.continue;
  const { statusCode, payload } = response.output;
  return refuse(h, request.path, { status: statusCode, code: payload.error.replaceAll(' ', ''), message: payload.message });
};
