/**
 * AES-256-GCM with a random nonce (NIST SP 800-38D). Layout, version 1:
 * version (1 byte) · key id (4) · nonce (12) · ciphertext · tag (16).
 * What the caller says about the content (its context) is authenticated with it: a sealed piece moved elsewhere does not open.
 */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { RelayError } from '../errors.ts';
import type { Format } from '../format.ts';

const VERSION = 1;

/** The layout of everything that is sealed with a key of the ring. */
export const SEAL_FORMAT: Format = { reads: [VERSION], writes: VERSION };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + 4 + NONCE_BYTES;

/** Bytes that sealing adds. */
export const SEAL_OVERHEAD_BYTES: number = HEADER_BYTES + TAG_BYTES;

/** Seals `parts`, one after another, as one piece; returns it in chunks so that large bodies are not copied. */
export function seal(parts: readonly Buffer[], key: KeyObject, keyId: string, context: string): Buffer[] {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt8(VERSION, 0);
  header.write(keyId, 1, 'hex');
  randomBytes(NONCE_BYTES).copy(header, 5);
  const cipher = createCipheriv('aes-256-gcm', key, header.subarray(5));
  cipher.setAAD(associatedData(header, context));
  const sealed = [header, ...parts.map((part) => cipher.update(part)), cipher.final()];
  sealed.push(cipher.getAuthTag());
  return sealed;
}

/** Bytes at a sealed piece's beginning that name its key. */
export const KEY_ID_BYTES = 5;

/** The id of the key that sealed a piece, from its first bytes; undefined when they are no sealed piece's. */
export function keyIdOf(sealed: Buffer): string | undefined {
  return sealed.length >= KEY_ID_BYTES && sealed.readUInt8(0) === VERSION ? sealed.toString('hex', 1, KEY_ID_BYTES) : undefined;
}

/** Opens a sealed piece. Throws `relay.seal.cannot-open` when the key is gone, the bytes were changed, or the context is another. */
export function open(sealed: Buffer, keyOf: (keyId: string) => KeyObject | undefined, context: string): Buffer {
  if (sealed.length < SEAL_OVERHEAD_BYTES || sealed.readUInt8(0) !== VERSION) {
    throw cannotOpen(`it is no sealed piece of version ${VERSION} (${sealed.length} bytes)`);
  }
  const keyId = sealed.toString('hex', 1, 5);
  const key = keyOf(keyId);
  if (!key) throw cannotOpen(`key ${keyId} is not in the key ring`);
  const header = sealed.subarray(0, HEADER_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, header.subarray(5));
  decipher.setAAD(associatedData(header, context));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw cannotOpen('its bytes were changed, or it was moved to another place', cause);
  }
}

function associatedData(header: Buffer, context: string): Buffer {
  return Buffer.concat([header.subarray(0, 5), Buffer.from(context, 'utf8')]);
}

function cannotOpen(why: string, cause?: unknown): RelayError {
  return new RelayError('relay.seal.cannot-open', `A sealed piece cannot be opened: ${why}.`, { cause });
}
