import type { Lifecycle, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import { writeRefusal } from '../oms-protocol/refusal-body.ts';

/** A request that is refused: one word for machines, one sentence that says why and what to do. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

// The services whose clients look for a `<Reason>` (§1.7); the others get JSON.
const SPEAKS_XML = /^\/(?:agentservice|configurationservice)\.svc\//i;

/** Answers a refusal the way the service at `path` does: XML with a Reason, or `{ "error": { "code", "message" } }`. */
export function refuse(h: ResponseToolkit, path: string, refusal: Refusal): ResponseObject {
  const { status, code, message } = refusal;
  if (SPEAKS_XML.test(path)) return h.response(writeRefusal(code, message)).code(status).type('application/xml');
  return h.response({ error: { code, message } }).code(status);
}

/** Gives refusals that hapi makes itself (no such path, too large, too slow, our own failure) the same form. */
export const shapeRefusal: Lifecycle.Method = (request, h) => {
  const { response } = request;
  if (!('isBoom' in response)) return h.continue;
  const { statusCode, payload } = response.output;
  return refuse(h, request.path, { status: statusCode, code: payload.error.replaceAll(' ', ''), message: payload.message });
};
