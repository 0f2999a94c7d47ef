import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** base64 of the body's SHA-256: the `x-ms-SHA256_Content` header. */
export function contentHash(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('base64');
}

/** The onboarding signature: HMAC-SHA256 over date, LF, content hash, LF; base64. The method, path and workspace are not signed. */
export function sign(key: Uint8Array, date: string, hash: string): string {
  return createHmac('sha256', key).update(`${date}\n${hash}\n`).digest('base64');
}

/** Compares two texts in a time that depends on their lengths alone. */
export function equalInConstantTime(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
