import { createHash, timingSafeEqual } from 'node:crypto';
import type { Refusal } from '../replies.ts';

/** The word for a body that is not the one that its sender hashed. */
export const CONTENT_MISMATCH = 'ContentHashMismatch';

const SHA_256 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]+={0,2}):\s*(?:,|$)/i;

/** What senders may say of their bodies: `Content-Digest` (RFC 9530), `Content-MD5` (RFC 1864), and `x-ms-sha256_content`, as agents do at their onboarding. */
export const DIGEST_HEADERS = ['content-digest', 'content-md5', 'x-ms-sha256_content'] as const;

/** Holds a body against what its headers say it is. Headers that say nothing of it are fine; those that cannot be read are not. */
export function checkDigest(headers: Readonly<Record<string, unknown>>, body: Buffer): Refusal | undefined {
  for (const name of DIGEST_HEADERS) {
    const told = headers[name];
    if (typeof told !== 'string') continue;
    const wanted = name === 'content-digest' ? SHA_256.exec(told)?.[1] : told.trim();
    // Of other digests than sha-256 nothing can be said here.
    if (wanted === undefined) continue;
    const found = createHash(name === 'content-md5' ? 'md5' : 'sha256')
      .update(body)
      .digest();
    const expected = Buffer.from(wanted, 'base64');
    if (expected.length === found.length && timingSafeEqual(expected, found)) continue;
    const message = `The body's hash is ${found.toString('base64')}, not the one in ${name}. It was changed on its way, or hashed otherwise: hash the bytes that are sent, and send them again.`;
    return { status: 400, code: CONTENT_MISMATCH, message };
  }
  return undefined;
}
