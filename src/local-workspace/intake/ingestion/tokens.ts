import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { join } from 'node:path';
import { makePrivateFolder, readFileIfAny, writeFileAtomic } from '../../../files.ts';

const KNOWN_TOKENS = 256;

/** What a token says. */
export interface TokenClaims {
  readonly tenantId: string;
  readonly clientId: string;
  readonly audience: string;
}

export type CheckedToken = { readonly valid: true; readonly clientId: string } | { readonly valid: false; readonly reason: string };

/** Access tokens of this stand-in: made here, and believed here only. */
export interface Tokens {
  issue(claims: TokenClaims, lifeS: number, now: number): string;
  check(token: string, audience: string, now: number): CheckedToken;
  /** The key with which anybody can verify them, as a JSON Web Key. */
  publicKey(): Readonly<Record<string, unknown>>;
}

interface Payload {
  readonly aud: string;
  readonly appid: string;
  readonly nbf: number;
  readonly exp: number;
}

/** Opens the signing key in the data folder, and makes it at the first call: tokens outlive a restart, as the real ones do. */
export async function openTokens(dataFolder: string): Promise<Tokens> {
  const path = join(dataFolder, 'keys', 'tokens.pem');
  await makePrivateFolder(join(dataFolder, 'keys'));
  if (!(await readFileIfAny(path))) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFileAtomic(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  return createTokens(createPrivateKey((await readFileIfAny(path)) ?? ''));
}

function createTokens(key: KeyObject): Tokens {
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const kid = createHash('sha256').update(`${jwk.x}${jwk.y}`).digest('base64url');
  const publicKey = createPublicKey(key);
  const verified = new Map<string, Payload>();

  const open = (token: string): Payload | undefined => {
    const before = verified.get(token);
    if (before) return before;
    const payload = read(token, publicKey);
    if (payload && verified.size >= KNOWN_TOKENS) verified.clear();
    if (payload) verified.set(token, payload);
    return payload;
  };

  return {
    issue({ tenantId, clientId, audience }, lifeS, now) {
      const seconds = Math.floor(now / 1_000);
      const times = { iat: seconds, nbf: seconds, exp: seconds + lifeS };
      const who = { appid: clientId, azp: clientId, oid: clientId, sub: clientId, tid: tenantId, idtyp: 'app', ver: '1.0', uti: randomUUID() };
      const head = encode({ typ: 'JWT', alg: 'ES256', kid });
      const body = encode({ aud: audience, iss: `https://sts.windows.net/${tenantId}/`, ...times, ...who });
      const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' });
      return `${head}.${body}.${signature.toString('base64url')}`;
    },
    check(token, audience, now) {
      const payload = open(token);
      if (!payload) return { valid: false, reason: 'The token is none that this service has signed.' };
      if (payload.aud.replace(/\/+$/, '') !== audience) return { valid: false, reason: `The token is for ${payload.aud}, not for ${audience}.` };
      if (now >= payload.exp * 1_000) return { valid: false, reason: `The token expired at ${new Date(payload.exp * 1_000).toISOString()}.` };
      return { valid: true, clientId: payload.appid };
    },
    publicKey: () => ({ ...jwk, kid, use: 'sig', alg: 'ES256' }),
  };
}

function read(token: string, key: KeyObject): Payload | undefined {
  const [head = '', body = '', signature = ''] = token.split('.');
  try {
    const genuine = verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    return genuine ? (JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Payload) : undefined;
  } catch {
    return undefined;
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
