/**
 * A stream sealed under the customer's key, so that any size is sealed and opened in little memory. Layout, version 1:
 * "RLYS" · version (1 byte) · salt (32) · frames. A frame is 64 KiB of content (the last one less, or none) and a tag (16), AES-256-GCM.
 *
 * Each stream has a key of its own: HKDF-SHA256 (RFC 5869) over the customer's key, the salt and the context. A nonce is the frame's number and
 * whether it is the last (the STREAM construction), so frames cannot be changed, left out, moved, added or cut off. The context says where the
 * stream belongs: moved to another name it does not open.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { RelayError } from '../../errors.ts';
import type { Format } from '../../format.ts';

const VERSION = 1;

/** The layout of sealed streams. */
export const SEALED_FRAMES_FORMAT: Format = { reads: [VERSION], writes: VERSION };

const MAGIC = Buffer.from('RLYS\x01', 'latin1');
const SALT_BYTES = 32;
const HEADER_BYTES = MAGIC.length + SALT_BYTES;
const FRAME_BYTES = 64 * 1024;
const TAG_BYTES = 16;

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Seals what `content` gives under an AES-256 key. */
export async function* sealFrames(content: Bytes, key: KeyObject, context: string): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const own = keyOfStream(key, salt, context);
  yield Buffer.concat([MAGIC, salt]);
  let number = 0;
  for await (const { bytes, isLast } of cut(content, FRAME_BYTES, FRAME_BYTES)) {
    const cipher = createCipheriv('aes-256-gcm', own, nonceOf(number, isLast));
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    number += 1;
  }
}

/** Opens a sealed stream. What came before an error was as it was sealed. Throws `relay.local-workspace.cannot-open`. */
export async function* openFrames(sealed: Bytes, key: KeyObject, context: string): AsyncGenerator<Buffer> {
  let own: KeyObject | undefined;
  let number = 0;
  for await (const { bytes, isLast } of cut(sealed, HEADER_BYTES, FRAME_BYTES + TAG_BYTES)) {
    if (own === undefined) {
      if (isLast || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw cannotOpen(context, 'it is no sealed stream of version 1, or it is cut off');
      own = keyOfStream(key, bytes.subarray(MAGIC.length), context);
      continue;
    }
    yield openFrame(own, bytes, { number, isLast, context });
    number += 1;
  }
}

function openFrame(key: KeyObject, bytes: Buffer, { number, isLast, context }: { number: number; isLast: boolean; context: string }): Buffer {
  if (bytes.length < TAG_BYTES) throw cannotOpen(context, 'it is cut off');
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, isLast));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw cannotOpen(context, `the key is another, or frame ${number} was changed, moved or cut off`, cause);
  }
}

/** Cuts bytes into a first piece and more of `size`. There is always a last one, which may be shorter, or empty. */
async function* cut(content: Bytes, first: number, size: number): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let wanted = first;
  for await (const piece of content) {
    // Copied: a reader of files hands out the same memory again and again.
    held.push(Buffer.from(piece));
    heldBytes += piece.length;
    // What is exactly full may be the last one.
    if (heldBytes <= wanted) continue;
    const all = Buffer.concat(held);
    let from = 0;
    for (; all.length - from > wanted; wanted = size) {
      yield { bytes: all.subarray(from, from + wanted), isLast: false };
      from += wanted;
    }
    held = [all.subarray(from)];
    heldBytes = all.length - from;
  }
  yield { bytes: Buffer.concat(held), isLast: true };
}

function keyOfStream(key: KeyObject, salt: Uint8Array, context: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, `relay sealed frames ${VERSION}\n${context}`, 32)));
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

function cannotOpen(context: string, why: string, cause?: unknown): RelayError {
  return new RelayError(
    'relay.local-workspace.cannot-open',
    `What is sealed for "${context}" cannot be opened: ${why}. Restore it from a copy, or the key that sealed it.`,
    {
      cause,
    },
  );
}
