/**
 * How the relay keeps the secrets that it makes itself: its key ring, the authority's roots, its identities upstream. Where the operating system's
 * credential store hands it a sealing key, they are on disk only under that key (AES-256-GCM), so that a copied disk tells nothing without the
 * machine; elsewhere they are plain files of mode 0600.
 *
 * Invariant: what was sealed is never made anew because it cannot be opened. It is said, and the relay does not start.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { RelayError } from './errors.ts';
import { readFileIfAny, writeFileAtomic } from './files.ts';
import type { Format } from './format.ts';

/** The name under which the operating system's credential store holds the key. */
export const SEALING_KEY = 'sealing-key';

/** How sealed files look; `HEAD` bears the number. */
export const OWN_SECRETS_FORMAT: Format = { reads: [1], writes: 1 };

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD = /^relay-sealed 1 ([0-9a-f]{8}) ([A-Za-z0-9+/=]+)\n?$/;
const ANY_HEAD = 'relay-sealed ';

export interface OwnSecrets {
  /** False: files are plain. */
  readonly isSealing: boolean;
  /**
   * The plain content; undefined when there is no file. A plain file is sealed as it is read, where there is a key. Throws
   * `relay.own-secrets.sealed` for a file that this key, or none, cannot open.
   */
  read(path: string): Promise<Buffer | undefined>;
  /** Writes whole or not at all, durably; mode 0600. */
  write(path: string, content: string | Uint8Array): Promise<void>;
}

/** Secrets as plain files of mode 0600. */
export const plainSecrets: OwnSecrets = ownSecretsWith(undefined);

/** Takes the sealing key from the credential store's folder, if that has one. Throws `relay.own-secrets.bad-key`. */
export async function openOwnSecrets(credentialsFolder: string | undefined): Promise<OwnSecrets> {
  const text = credentialsFolder === undefined ? undefined : await readFileIfAny(join(credentialsFolder, SEALING_KEY));
  return text === undefined ? plainSecrets : ownSecretsWith(readSealingKey(text.toString()));
}

/** A sealing key made by chance, as the credential store keeps it: 32 bytes in base64. */
export function newSealingKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

/** Reads such a key. Throws `relay.own-secrets.bad-key`, without showing it. */
export function readSealingKey(text: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new RelayError(
    'relay.own-secrets.bad-key',
    `The credential "${SEALING_KEY}" holds ${key.length} bytes, not ${KEY_BYTES} in base64. Restore it, or restore a backup: relay restore.`,
  );
}

/** Secrets sealed under this key of 32 bytes, or plain without one. */
export function ownSecretsWith(key: Buffer | undefined): OwnSecrets {
  const keyId = key && idOf(key);
  const write = (path: string, content: string | Uint8Array): Promise<void> =>
    writeFileAtomic(path, key && keyId ? seal(Buffer.from(content), path, { key, keyId }) : content);
  return {
    isSealing: key !== undefined,
    async read(path) {
      const found = await readFileIfAny(path);
      if (found === undefined) return undefined;
      if (isSealed(found)) return open(found, path, key);
      if (key) await write(path, found);
      return found;
    },
    write,
  };
}

/** Whether these bytes of a file were sealed, by whichever key. */
export function isSealed(content: Uint8Array): boolean {
  return Buffer.from(content.subarray(0, ANY_HEAD.length)).toString('latin1') === ANY_HEAD;
}

function seal(content: Buffer, path: string, { key, keyId }: { readonly key: Buffer; readonly keyId: string }): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(nameOf(path));
  const sealed = Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  return `${ANY_HEAD}1 ${keyId} ${sealed.toString('base64')}\n`;
}

function open(found: Buffer, path: string, key: Buffer | undefined): Buffer {
  const [, keyId, text] = HEAD.exec(found.toString('latin1')) ?? [];
  if (keyId === undefined || text === undefined) throw cannotOpen(path, 'it is damaged, or of a newer release');
  if (!key) throw cannotOpen(path, `the credential "${SEALING_KEY}" was not given to the relay`);
  if (keyId !== idOf(key)) throw cannotOpen(path, `it was sealed under another key (${keyId}; this machine's is ${idOf(key)})`);
  const sealed = Buffer.from(text, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES }).setAAD(nameOf(path));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw cannotOpen(path, 'it was changed, or is another file under this name');
  }
}

// One secret cannot be put in another's place.
function nameOf(path: string): Buffer {
  return Buffer.from(`relay own secret ${basename(path)}`);
}

function idOf(key: Buffer): string {
  return createHash('sha256').update('relay sealing key').update(key).digest('hex').slice(0, 8);
}

function cannotOpen(path: string, why: string): RelayError {
  return new RelayError(
    'relay.own-secrets.sealed',
    `${path} is sealed and cannot be opened: ${why}. Start the relay on the machine, and with the TPM, that sealed it, or restore a backup: relay restore.`,
  );
}
