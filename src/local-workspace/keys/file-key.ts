import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;

/**
 * The key of one file, derived from its workspace's data key (HKDF-SHA256, RFC 5869): `purpose` says what kind of file it is (`segment`), `fileId`
 * which one; together at most 900 characters of ASCII. The same for the same three, and telling nothing of the others.
 */
export function deriveFileKey(dataKey: KeyObject, purpose: string, fileId: string): KeyObject {
  const info = JSON.stringify(['relay file key', purpose, fileId]);
  return createSecretKey(Buffer.from(hkdfSync('sha256', dataKey, Buffer.alloc(0), info, KEY_BYTES)));
}
