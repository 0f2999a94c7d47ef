import { RelayError } from '../errors.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import { keyIdOf, open, seal } from '../workspace/seal.ts';

/** A column of the database whose content is sealed under the key ring; each piece opens in its own row alone. */
export interface SealedColumn {
  /** Seals with the ring's current key. Throws `relay.keys.unusable`. */
  seal(id: string, content: Buffer): Buffer;
  /** Throws `relay.seal.cannot-open`. */
  open(id: string, sealed: Uint8Array): Buffer;
  /** Whether the key that sealed it is in the ring. */
  canOpen(sealed: Uint8Array): boolean;
  /** Whether the ring's current key sealed it. */
  isCurrent(sealed: Uint8Array): boolean;
  /** Ids of the keys that sealed these, one for each. */
  sealersOf(all: readonly Uint8Array[]): string[];
}

/** `purpose` names the key, `what` the rows: changing either makes what is there unreadable. */
export function createSealedColumn(keys: KeyRing, purpose: string, what: string): SealedColumn {
  const sealerOf = (sealed: Uint8Array): string => keyIdOf(Buffer.from(sealed)) ?? '';
  return {
    seal(id, content) {
      const key = keys.groupKey(purpose, keys.currentKeyId);
      if (!key) throw new RelayError('relay.keys.unusable', `The key ring has lost its current key ${keys.currentKeyId}.`);
      return Buffer.concat(seal([content], key, keys.currentKeyId, `${what} ${id}`));
    },
    open: (id, sealed) => open(Buffer.from(sealed), (keyId) => keys.groupKey(purpose, keyId), `${what} ${id}`),
    canOpen: (sealed) => keys.has(sealerOf(sealed)),
    isCurrent: (sealed) => sealerOf(sealed) === keys.currentKeyId,
    sealersOf: (all) => all.map(sealerOf).filter((keyId) => keyId !== ''),
  };
}
