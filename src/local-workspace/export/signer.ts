/** The key of a workspace's exports: Ed25519, a file of its own, never rotated, because a line must be checked for as long as it is kept. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { dirname } from 'node:path';
import { RelayError } from '../../errors.ts';
import { makePrivateFolder, readFileIfAny, readSecretFile, writeFileAtomic } from '../../files.ts';

export interface ExportSigner {
  /** 16 hexadecimal digits: the beginning of the fingerprint. */
  readonly id: string;
  readonly publicKey: KeyObject;
  sign(content: Uint8Array): Buffer;
}

/** The signer at `path` (PKCS#8, PEM, mode 0600), made at the first call. Throws `relay.local-workspace.export-key-unusable`. */
export async function ensureExportSigner(path: string, warn: (message: string) => void): Promise<ExportSigner> {
  if ((await readFileIfAny(path)) === undefined) {
    await makePrivateFolder(dirname(path));
    await writeFileAtomic(
      path,
      generateKeyPairSync('ed25519', { privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).privateKey,
    );
  }
  const text = await readSecretFile(path, warn);
  try {
    return exportSignerOf(createPrivateKey(text));
  } catch {
    // Without the cause: OpenSSL's words could tell something of the file.
    throw unusable(path, 'it holds no Ed25519 key in PEM. Restore it from its backup');
  }
}

/** The signer of an Ed25519 private key. */
export function exportSignerOf(privateKey: KeyObject): ExportSigner {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('no Ed25519 key');
  const publicKey = createPublicKey(privateKey);
  return { id: fingerprintOf(publicKey).slice(0, 16), publicKey, sign: (content) => sign(null, content, privateKey) };
}

/** The SHA-256 of a public key (SubjectPublicKeyInfo, DER), in hexadecimal. */
export function fingerprintOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** A public key as the file that lies beside an export. */
export function publicKeyFile(publicKey: KeyObject): string {
  return String(publicKey.export({ type: 'spki', format: 'pem' }));
}

/** Reads such a file; undefined when it is not, to the byte, as `publicKeyFile` writes it. */
export function readPublicKeyFile(text: string): KeyObject | undefined {
  try {
    const key = createPublicKey(text);
    return !text.includes('PRIVATE') && key.asymmetricKeyType === 'ed25519' && publicKeyFile(key) === text ? key : undefined;
  } catch {
    return undefined;
  }
}

function unusable(path: string, why: string): RelayError {
  return new RelayError('relay.local-workspace.export-key-unusable', `The key ${path}, which signs exports, cannot be used: ${why}.`);
}
