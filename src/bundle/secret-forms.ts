/** The forms in which a secret may stand in a text: as it is, escaped, in hexadecimal, in base64 however it is aligned. */

/** What to look for. */
export interface SecretForms {
  /** Replaced wherever they stand, the longest first. */
  readonly anywhere: readonly string[];
  /** Too short for that: replaced only where they stand alone. */
  readonly alone: readonly string[];
  /** Pieces of base64: the whole run of base64 they stand in is replaced. */
  readonly inBase64: readonly string[];
}

const SHORTEST_ANYWHERE = 6;
const SHORTEST_CODED = 8;
const BASE64 = /^[A-Za-z0-9+/_-]{16,}={0,2}$/;
const HEX = /^(?:[0-9a-f]{2}){8,}$/i;

/** All forms of these secrets. */
export function formsOf(secrets: readonly string[]): SecretForms {
  const texts = distinct(secrets.filter((secret) => secret.trim() !== '').flatMap(textsOf));
  const bytes = secrets.flatMap(bytesOf);
  return {
    anywhere: longestFirst([...texts.filter(({ length }) => length >= SHORTEST_ANYWHERE), ...bytes.flatMap(hexOf)]),
    alone: longestFirst(texts.filter(({ length }) => length < SHORTEST_ANYWHERE)),
    inBase64: longestFirst(bytes.flatMap(base64Of)),
  };
}

function textsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}

// A secret that is itself a code for bytes may also be met as those bytes, coded in another way.
function bytesOf(secret: string): Buffer[] {
  return [Buffer.from(secret), ...(BASE64.test(secret) ? [Buffer.from(secret, 'base64')] : []), ...(HEX.test(secret) ? [Buffer.from(secret, 'hex')] : [])];
}

function hexOf(bytes: Buffer): string[] {
  const hex = bytes.toString('hex');
  return hex.length < SHORTEST_CODED ? [] : [hex, hex.toUpperCase()];
}

// Three bytes make four characters, so what they look like depends on how many stand before. Only the characters that are all the secret's count.
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + bytes.length) * 8) / 6);
    const inner = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(first, end);
    return inner.length < SHORTEST_CODED ? [] : [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function longestFirst(texts: readonly string[]): string[] {
  return distinct(texts).sort((a, b) => b.length - a.length);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
