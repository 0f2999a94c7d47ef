/**
 * How a key is wrapped where the wrapping is done elsewhere: by a program, on a token. A key of one use goes there; what is to be kept is sealed
 * under it here. So the data key never leaves the process, and the workspace is authenticated whatever the other side does.
 * Layout: length of the wrapped key of one use (2 bytes, big-endian) · that key · what it seals.
 */
import { randomBytes } from 'node:crypto';
import type { Damaged, KeyUnavailable, WrapContext } from './key-provider.ts';
import { unwrapBy, wrapBy } from './wrapping.ts';

const KEY_BYTES = 32;
const LENGTH_BYTES = 2;
const MOST_WRAPPED_BYTES = 8 * 1024;

/** What another side gives for a key of one use. */
export type WrappedElsewhere = { readonly outcome: 'wrapped'; readonly keyId: string; readonly wrapped: Buffer } | KeyUnavailable;
export type UnwrappedElsewhere = { readonly outcome: 'unwrapped'; readonly plain: Buffer } | Damaged | KeyUnavailable;

export async function wrapInEnvelope(plain: Buffer, context: WrapContext, wrapKey: (key: Buffer) => Promise<WrappedElsewhere>): Promise<WrappedElsewhere> {
  const bytes = randomBytes(KEY_BYTES);
  try {
    const outer = await wrapKey(bytes);
    if (outer.outcome !== 'wrapped') return outer;
    const { keyId, wrapped } = outer;
    if (wrapped.length === 0 || wrapped.length > MOST_WRAPPED_BYTES) {
      return {
        outcome: 'unavailable',
        isTransient: false,
        reason: `a wrapped key has 1 to ${MOST_WRAPPED_BYTES} bytes, found ${wrapped.length}`,
      };
    }
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(wrapped.length);
    return { outcome: 'wrapped', keyId, wrapped: Buffer.concat([length, wrapped, wrapBy({ id: keyId, bytes }, plain, context)]) };
  } finally {
    bytes.fill(0);
  }
}

export async function unwrapEnvelope(
  { keyId, wrapped }: { readonly keyId: string; readonly wrapped: Buffer },
  context: WrapContext,
  unwrapKey: (wrapped: Buffer) => Promise<UnwrappedElsewhere>,
): Promise<UnwrappedElsewhere> {
  const end = wrapped.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : LENGTH_BYTES + wrapped.readUInt16BE();
  if (end > wrapped.length) return { outcome: 'damaged' };
  const inner = await unwrapKey(wrapped.subarray(LENGTH_BYTES, end));
  if (inner.outcome !== 'unwrapped') return inner;
  const { plain: bytes } = inner;
  // A changed key of one use may come back as other bytes: the seal tells.
  return bytes.length === KEY_BYTES ? unwrapBy({ id: keyId, bytes }, wrapped.subarray(end), context) : { outcome: 'damaged' };
}
