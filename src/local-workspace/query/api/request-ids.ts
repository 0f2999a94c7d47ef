import type { ResponseObject, ResponseToolkit } from '@hapi/hapi';

const CLIENT_ID = /^[\w.:-]{1,128}$/;

/**
 * Puts the request's ids on an answer, under the names that all of Azure's services use: ours, by which the log and the audit log know the request,
 * and the client's own given back.
 */
export function stamped(h: ResponseToolkit, response: ResponseObject, correlationId: string): ResponseObject {
  const clientId: unknown = h.request.headers['x-ms-client-request-id'];
  response.header('x-ms-correlation-request-id', correlationId);
  return typeof clientId === 'string' && CLIENT_ID.test(clientId) ? response.header('x-ms-client-request-id', clientId) : response;
}
