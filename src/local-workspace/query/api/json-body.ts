import type { Request } from '@hapi/hapi';
import type { Clock } from '../../../clock.ts';
import type { QueryError } from './error-reply.ts';
import { readBody } from './read-body.ts';

export type ReadJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: QueryError };

const EXAMPLE = '{"query": "Heartbeat | count"}';

/**
 * The JSON of a body. A body of another type is refused with words: the service answers an empty 200, which its own documentation lists among the
 * errors, and by which a client takes a wrong header for a workspace without data.
 */
export async function readJson(request: Request, clock: Clock): Promise<ReadJson> {
  const body = await readBody(request, clock);
  if (!body.ok) return body;
  const type = String(request.headers['content-type'] ?? '');
  const encoding = String(request.headers['content-encoding'] ?? 'identity');
  if (encoding.toLowerCase() !== 'identity') return refused('notJson', `Content-Encoding is "${encoding.slice(0, 80)}". Send the body as it is.`);
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    return refused('notJson', `Content-Type is "${type.slice(0, 80)}". Send JSON, with Content-Type: application/json.`);
  }
  if (body.bytes.length === 0) return refused('badBody', `The body is empty. Send JSON such as ${EXAMPLE}.`);
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body.bytes)) };
  } catch {
    return refused('badBody', `The body is not JSON in UTF-8. Send JSON such as ${EXAMPLE}.`);
  }
}

function refused(error: QueryError['error'], message: string): ReadJson {
  return { ok: false, error: { error, message } };
}
