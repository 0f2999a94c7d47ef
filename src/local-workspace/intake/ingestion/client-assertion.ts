import { constants, createHash, type KeyObject, verify, X509Certificate } from 'node:crypto';
import type { DeclaredApp } from './declaration.ts';

/** Clocks may differ by this much, as at the real service. */
const SKEW_MS = 5 * 60_000;
const MAX_LENGTH = 16_384;

/** What an assertion proves, or what is wrong with it: the number Entra has for it, and its words. */
export type CheckedAssertion = { readonly valid: true } | { readonly valid: false; readonly code: number; readonly message: string };

interface Assertion {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Checks the signed word of a client about itself (RFC 7523) against the certificates registered for its app. */
export function checkAssertion(text: string, app: DeclaredApp, tokenUrls: readonly string[], now: number): CheckedAssertion {
  const assertion = read(text);
  if (!assertion) return wrong(50_027, 'JWT token is invalid or malformed.');
  const certificate = app.certificates.map((pem) => new X509Certificate(pem)).find((one) => isNamed(assertion.header, one));
  if (!certificate || !isSigned(assertion, certificate.publicKey)) {
    return wrong(700_027, `The certificate with identifier used to sign the client assertion is not registered on application. ClientId: ${app.clientId}.`);
  }
  if (now > certificate.validToDate.getTime() || now < certificate.validFromDate.getTime()) {
    return wrong(1_000_502, 'The provided certificate is not within its specified validity period.');
  }
  return checkClaims(assertion.claims, app, tokenUrls, now);
}

function checkClaims(claims: Assertion['claims'], app: DeclaredApp, tokenUrls: readonly string[], now: number): CheckedAssertion {
  const { iss, sub, aud, exp, nbf } = claims;
  if (String(iss).toLowerCase() !== app.clientId || String(sub).toLowerCase() !== app.clientId) {
    return wrong(700_021, 'Client assertion application identifier does not match the client_id parameter.');
  }
  if (!tokenUrls.includes(String(aud).toLowerCase())) {
    return wrong(700_023, `Client assertion audience claim does not match Realm issuer. The audience is ${JSON.stringify(aud)}.`);
  }
  if (typeof exp !== 'number' || now - SKEW_MS >= exp * 1_000 || (typeof nbf === 'number' && now + SKEW_MS < nbf * 1_000)) {
    return wrong(700_024, 'Client assertion is not within its valid time range.');
  }
  return { valid: true };
}

function read(text: string): Assertion | undefined {
  const parts = text.split('.');
  const [head = '', body = '', signature = ''] = parts;
  if (parts.length !== 3 || text.length > MAX_LENGTH) return undefined;
  try {
    const [header, claims] = [head, body].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown);
    if (!isObject(header) || !isObject(claims)) return undefined;
    return { header, claims, signed: Buffer.from(`${head}.${body}`), signature: Buffer.from(signature, 'base64url') };
  } catch {
    return undefined;
  }
}

function isNamed(header: Assertion['header'], { raw }: X509Certificate): boolean {
  const thumbprint = (algorithm: string): string => createHash(algorithm).update(raw).digest('base64url');
  return header['x5t#S256'] === thumbprint('sha256') || header['x5t'] === thumbprint('sha1');
}

function isSigned({ header, signed, signature }: Assertion, key: KeyObject): boolean {
  if (header['alg'] === 'RS256') return verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
  return header['alg'] === 'PS256' && verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(code: number, message: string): CheckedAssertion {
  return { valid: false, code, message };
}
