import type { KeyObject } from 'node:crypto';
import { RelayError } from '../../errors.ts';
import { openFrames, sealFrames } from './sealed-frames.ts';

/** Seals streams under the customer's key and opens them again. The context says where a stream belongs. */
export interface Sealer {
  /** Throws `relay.local-workspace.storage-key-unavailable` while the customer does not give the key. */
  seal(content: AsyncIterable<Uint8Array>, context: string): AsyncIterable<Uint8Array>;
  /** Throws the same, and `relay.local-workspace.cannot-open`. */
  open(sealed: AsyncIterable<Uint8Array>, context: string): AsyncIterable<Uint8Array>;
}

/** `keyOf` gives the customer's key (AES-256) as it is at this moment; undefined while there is none. */
export function createSealer(keyOf: () => KeyObject | undefined): Sealer {
  const key = (context: string): KeyObject => {
    const found = keyOf();
    if (found) return found;
    throw new RelayError(
      'relay.local-workspace.storage-key-unavailable',
      `"${context}" cannot be sealed or opened: its key, which the customer holds, is not given at this moment. Give access to the key again.`,
    );
  };
  return {
    seal: (content, context) => sealFrames(content, key(context), context),
    open: (sealed, context) => openFrames(sealed, key(context), context),
  };
}
