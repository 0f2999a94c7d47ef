import type { Request } from '@hapi/hapi';

/** A request's Content-Type in lower case, without its parameters; empty when it has none. */
export function contentTypeOf(request: Request): string {
  const value: unknown = request.headers['content-type'];
  return typeof value === 'string' ? (value.split(';', 1)[0] ?? '').trim().toLowerCase() : '';
}
