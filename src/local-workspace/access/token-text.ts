/** The text of an access token: `rlw_<id>_<secret>`. The id finds the token, the secret (256 bits by chance) proves it; only its hash is kept. */
import { hash } from 'node:crypto';

const ID_BYTES = 6;
const SECRET_BYTES = 32;
const TOKEN = /^rlw_(?<id>[0-9a-f]{12})_(?<secret>[\w-]{43})$/;
const ANY_TOKEN = /rlw_[0-9a-f]{12}_/;
const BEARER = /^Bearer +(?<token>\S{1,128}) *$/i;

/** So many bytes by chance. */
export type Chance = (bytes: number) => Buffer;

export interface NewTokenText {
  readonly id: string;
  /** Shown once. */
  readonly text: string;
  readonly secretSha256: string;
}

/** What an Authorization header brings. */
export type ReadToken = { readonly found: 'none' | 'malformed' } | { readonly found: 'token'; readonly id: string; readonly secretSha256: string };

export function newTokenText(chance: Chance): NewTokenText {
  const id = chance(ID_BYTES).toString('hex');
  const secret = chance(SECRET_BYTES).toString('base64url');
  return { id, text: `rlw_${id}_${secret}`, secretSha256: sha256(secret) };
}

/** Reads the header (RFC 6750 §2.1). Another scheme than Bearer brings no token. */
export function readAuthorization(header: string | undefined): ReadToken {
  if (header === undefined || !/^Bearer(?: |$)/i.test(header)) return { found: 'none' };
  const token = BEARER.exec(header)?.groups?.['token'] ?? '';
  const { id, secret } = TOKEN.exec(token)?.groups ?? {};
  // The text is hashed, not its bytes: base64url has several spellings of the same bytes.
  return id === undefined || secret === undefined ? { found: 'malformed' } : { found: 'token', id, secretSha256: sha256(secret) };
}

/** Whether a text holds what looks like a token, which must not be kept or logged. */
export function holdsToken(text: string): boolean {
  return ANY_TOKEN.test(text);
}

function sha256(text: string): string {
  return hash('sha256', text);
}
