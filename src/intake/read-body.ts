import type { Readable } from 'node:stream';
import type { Request, RouteOptionsPayload } from '@hapi/hapi';
import { RelayError } from '../errors.ts';
import { meaningOf } from './error-replies.ts';

export interface BodyLimits {
  /** Bytes, as they come over the wire. */
  readonly maxBytes: number;
  /** Milliseconds until the whole body is there. */
  readonly timeoutMs: number;
}

/**
 * Reads the body of a request whose route has the payload `STREAMED`. hapi's own reader cuts the connection of a sender in chunks that
 * goes beyond the limit, and waits for one that is too slow; this one answers both: `relay.intake.too-large` once the rest has come and
 * was thrown away, so that the sender reads the answer, and `relay.intake.too-slow` at once.
 */
export function readBody(request: Request, { maxBytes, timeoutMs }: BodyLimits): Promise<Buffer> {
  const source = request.payload as Readable | null;
  return source ? read(source, maxBytes, timeoutMs) : Promise.resolve(Buffer.alloc(0));
}

/** What a route needs for `readBody`. Its Content-Type is not looked at. */
export const STREAMED: RouteOptionsPayload = { parse: false, output: 'stream', override: 'application/octet-stream', maxBytes: Number.MAX_SAFE_INTEGER };

function read(source: Readable, maxBytes: number, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let total = 0;
    const refuse = (code: 'relay.intake.too-large' | 'relay.intake.too-slow' | 'relay.intake.aborted'): void => {
      stop();
      reject(new RelayError(code, meaningOf(code)));
    };
    const onData = (chunk: Buffer): void => {
      total += chunk.length;
      if (total <= maxBytes) chunks.push(chunk);
      else chunks = [];
    };
    const onEnd = (): void => {
      if (total > maxBytes) refuse('relay.intake.too-large');
      else {
        stop();
        resolve(Buffer.concat(chunks, total));
      }
    };
    const onGone = (): void => refuse('relay.intake.aborted');
    const timer = setTimeout(() => refuse(total > maxBytes ? 'relay.intake.too-large' : 'relay.intake.too-slow'), timeoutMs);
    const stop = (): void => {
      clearTimeout(timer);
      source.off('data', onData).off('end', onEnd).off('close', onGone).pause();
    };
    source.on('data', onData).once('end', onEnd).once('close', onGone);
    // `close` follows; without a listener the process would end.
    source.on('error', () => {});
  });
}
