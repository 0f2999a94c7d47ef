import { Readable } from 'node:stream';
import type { Request, RouteOptionsPayload } from '@hapi/hapi';
import type { Clock } from '../../../clock.ts';
import type { QueryError } from './error-reply.ts';
import { BODY_TIMEOUT_MS, MAX_BODY_BYTES } from './limits.ts';

export type ReadBody = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly error: QueryError };

/** Of a body that is refused so much is read and thrown away: who still sends would not see the answer. */
const MAX_PASSED_OVER_BYTES = 16 * 1024 * 1024;

/** How a route takes its body: as it comes, so that who may not ask is refused ahead of it. A connection with some of a body left is closed by hapi. */
export const STREAMED: RouteOptionsPayload = { parse: false, output: 'stream', override: 'application/octet-stream', maxBytes: Number.MAX_SAFE_INTEGER };

/** The body, at most 1 MiB, within 30 seconds; empty for a request that has none. */
export function readBody(request: Request, clock: Clock): Promise<ReadBody> {
  const { promise, resolve } = Promise.withResolvers<ReadBody>();
  const source: unknown = request.payload;
  if (!(source instanceof Readable)) return Promise.resolve({ ok: true, bytes: Buffer.alloc(0) });
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
    if (size > MAX_PASSED_OVER_BYTES) resolve(TOO_LARGE);
  };
  const end = (): void => resolve(size > MAX_BODY_BYTES ? TOO_LARGE : { ok: true, bytes: Buffer.concat(chunks) });
  const broken = (): void => resolve(BROKEN);
  const cancel = clock.after(BODY_TIMEOUT_MS, () => resolve(SLOW));
  source.on('data', take).once('end', end).once('error', broken).once('close', broken);
  return promise.finally(() => {
    cancel();
    source.off('data', take).pause();
  });
}

/** Reads a body that nobody wants, as far as that is worth it, so that its sender sees the answer. */
export async function passOverBody(request: Request, clock: Clock): Promise<void> {
  await readBody(request, clock);
}

const TOO_LARGE: ReadBody = { ok: false, error: { error: 'bodyTooLarge', message: `The body is longer than ${MAX_BODY_BYTES} bytes. Send a shorter query.` } };
const SLOW: ReadBody = { ok: false, error: { error: 'slowBody', message: `The body did not come within ${BODY_TIMEOUT_MS / 1_000} s. Send it again.` } };
const BROKEN: ReadBody = { ok: false, error: { error: 'badBody', message: 'The body ended before its end. Send it again.' } };
