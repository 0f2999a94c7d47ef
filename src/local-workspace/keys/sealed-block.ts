/**
 * AES-256-GCM for blocks of files (NIST SP 800-38D). Layout: nonce (12 bytes) · ciphertext · tag (16). It is leaner than `src/workspace/seal.ts`:
 * a file's own beginning says which key seals it, so its blocks do not.
 *
 * Invariant: what a block is for is authenticated with it. One that was moved to another workspace, file or place does not open.
 */
import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';
import { RelayError } from '../../errors.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that sealing adds to a block. */
export const BLOCK_OVERHEAD_BYTES: number = NONCE_BYTES + TAG_BYTES;

/** Where a block belongs. */
export interface BlockPlace {
  readonly workspaceId: string;
  /** The file's id, the one its key was derived with. */
  readonly file: string;
  /** What it is within the file, unique there: `column 3 chunk 7`. */
  readonly place: string;
}

/**
 * Seals one block; returns it in pieces, to be written one after another, so that large ones are not copied. Nonces are by chance: one key is
 * good for 2^32 blocks, more than any file has.
 */
export function sealBlock(plain: Uint8Array, key: KeyObject, place: BlockPlace): readonly [nonce: Buffer, sealed: Buffer, tag: Buffer] {
  const nonce = randomFillSync(Buffer.allocUnsafe(NONCE_BYTES));
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(textOf(place));
  // GCM is a stream: nothing is left for `final` to give.
  const sealed = cipher.update(plain);
  cipher.final();
  return [nonce, sealed, cipher.getAuthTag()];
}

/** Opens one block. Throws `relay.local-workspace.cannot-open-block` when its bytes were changed, or the key or the place is another. */
export function openBlock(sealed: Uint8Array, key: KeyObject, place: BlockPlace): Buffer {
  if (sealed.length < BLOCK_OVERHEAD_BYTES) throw cannotOpen(place, `it has ${sealed.length} bytes, fewer than any block`);
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES }).setAAD(textOf(place));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw cannotOpen(place, 'its bytes were changed, it was moved here from elsewhere, or another key sealed it', cause);
  }
  return plain;
}

// As JSON no two places give the same text, whatever characters are in them.
function textOf({ workspaceId, file, place }: BlockPlace): Buffer {
  return Buffer.from(JSON.stringify([workspaceId, file, place]), 'utf8');
}

function cannotOpen({ workspaceId, file, place }: BlockPlace, why: string, cause?: unknown): RelayError {
  return new RelayError(
    'relay.local-workspace.cannot-open-block',
    `A sealed block of workspace ${workspaceId} (${file}, ${place}) cannot be opened: ${why}. Check the disk, and restore the file from a backup.`,
    { cause },
  );
}
