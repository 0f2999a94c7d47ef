/** Who made a release: Ed25519 signatures (RFC 8032) over a manifest's bytes. Several keys may sign one manifest, so that a new key can be introduced by the old. */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, RelayError } from '../errors.ts';

export const MAX_SIGNATURES_BYTES: number = 16 * 1024;
const MAX_KEY_FILE_BYTES = 4 * 1024;
const MAX_KEY_FILES = 100;

/** A public key by which releases are trusted. */
export interface ReleaseKey {
  /** 16 hexadecimal digits: the beginning of the SHA-256 of its SubjectPublicKeyInfo. */
  readonly id: string;
  readonly key: KeyObject;
  /** Its file. */
  readonly path: string;
}

const schema = z.strictObject({
  signatures: z
    .array(z.strictObject({ key: z.string().max(16), signature: z.base64() }))
    .min(1)
    .max(10),
});

/** The id of a public key, or of the public half of a private one. */
export function keyIdOf(key: KeyObject): string {
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 16);
}

/** Signs a manifest with private keys; the content of `manifest.sig`. */
export function signManifest(manifest: Buffer, keys: readonly KeyObject[]): Buffer {
  const signatures = keys.map((key) => ({ key: keyIdOf(key), signature: sign(null, manifest, key).toString('base64') }));
  return Buffer.from(`${JSON.stringify({ signatures }, null, 2)}\n`);
}

/** The trusted key that signed this manifest. Throws `relay.upgrade.not-trusted`. */
export function verifyManifest(manifest: Buffer, signatures: Buffer, trusted: readonly ReleaseKey[]): ReleaseKey {
  const signed = parse(signatures);
  for (const { key: id, signature } of signed) {
    const found = trusted.find((key) => key.id === id);
    if (!found) continue;
    if (verify(null, manifest, found.key, Buffer.from(signature, 'base64'))) return found;
    throw notTrusted(`its signature by key ${id} (${found.path}) is wrong: the bundle was changed after it was signed. Fetch it again`);
  }
  const ids = signed.map(({ key }) => key).join(', ');
  throw notTrusted(
    `it is signed by ${ids}, and this machine trusts ${trusted.map(({ id }) => id).join(', ')}. If you trust whoever made it, put their public key into /etc/relay/release-keys`,
  );
}

/**
 * Reads the public keys (`*.pem`) of folders, of which some may not be there. A file that others than its owner may write, or that holds no Ed25519
 * key, is told to `warn` and trusted by nobody. Throws `relay.upgrade.not-trusted` when no key is left.
 */
export async function readReleaseKeys(folders: readonly string[], warn: (message: string) => void): Promise<ReleaseKey[]> {
  const paths = (await Promise.all(folders.map(listKeyFiles))).flat();
  const keys: ReleaseKey[] = [];
  for (const path of paths.slice(0, MAX_KEY_FILES)) {
    try {
      keys.push(await readKey(path));
    } catch (error) {
      warn(`The release key ${path} is not used: ${messageOf(error)}`);
    }
  }
  if (keys.length > 0) return keys;
  throw notTrusted(`this machine trusts no release key. Put the public key (PEM) of whoever makes your releases into ${folders[0] ?? 'a folder'}`);
}

async function listKeyFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith('.pem'))
    .sort()
    .map((name) => join(folder, name));
}

async function readKey(path: string): Promise<ReleaseKey> {
  for (const checked of [path, join(path, '..')]) {
    const { mode, uid } = await stat(checked);
    if ((mode & 0o022) !== 0 || (uid !== 0 && uid !== process.geteuid?.())) throw new Error(`others than root may change ${checked}: chmod go-w, chown root`);
  }
  const { size } = await stat(path);
  if (size > MAX_KEY_FILE_BYTES) throw new Error(`it holds ${size} bytes, a public key has fewer than ${MAX_KEY_FILE_BYTES}`);
  const pem = await readFile(path, 'utf8');
  if (pem.includes('PRIVATE KEY')) throw new Error('it holds a private key, which belongs to whoever makes the releases: remove it here, and replace that key');
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it holds a key of type ${key.asymmetricKeyType}, releases are signed by Ed25519`);
  return { id: keyIdOf(key), key, path };
}

function parse(signatures: Buffer): z.infer<typeof schema>['signatures'] {
  try {
    return schema.parse(JSON.parse(signatures.toString('utf8'))).signatures;
  } catch {
    throw notTrusted('its manifest.sig holds no signatures. Fetch it again, or have it made again');
  }
}

function notTrusted(why: string): RelayError {
  return new RelayError('relay.upgrade.not-trusted', `The bundle is not trusted: ${why}. Nothing was changed.`);
}
