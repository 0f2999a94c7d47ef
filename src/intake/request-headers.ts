import type { Request } from '@hapi/hapi';
import type { ContentEncoding } from '../batch/batch.ts';
import { RelayError } from '../errors.ts';

/** A header's value, by its name in lower case; undefined when it is missing or empty. */
export function headerOf(request: Request, name: string): string | undefined {
  const value: unknown = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A request's Content-Type in lower case, without its parameters; empty when it has none. */
export function contentTypeOf(request: Request): string {
  return (headerOf(request, 'content-type')?.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** A request's Content-Encoding. Throws `relay.intake.unknown-encoding` for one that is not read. */
export function contentEncodingOf(request: Request): ContentEncoding {
  const encoding = (headerOf(request, 'content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === 'deflate' || encoding === 'gzip') return encoding;
  if (encoding === '') return 'identity';
  throw new RelayError('relay.intake.unknown-encoding', `Content-Encoding "${encoding.slice(0, 40)}" is none of identity, deflate, gzip.`);
}
