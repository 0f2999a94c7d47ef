/**
 * The key that seals the audit log: a file of its own, never rotated. The keys of the key ring leave it an hour after their last use, but a
 * line must be verified for as long as it is kept; and a key that seals nothing secret gains nothing from a short life.
 */
import { createHash, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, readSecretFile, writeFileAtomic } from '../files.ts';

const KEY_BYTES = 32;

export interface AuditKey {
  /** Eight hexadecimal digits; tells nothing of the key. */
  readonly id: string;
  /** The HMAC-SHA256 of `content`, in hexadecimal. */
  seal(content: Uint8Array): string;
}

/** Opens the key at `path`. Throws `relay.audit.key-unusable` when there is none, or what is there is none. */
export async function readAuditKey(path: string, warn: (message: string) => void = () => {}): Promise<AuditKey> {
  if ((await readFileIfAny(path)) === undefined) throw unusable(path, 'there is no such file');
  const bytes = Buffer.from(await readSecretFile(path, warn), 'base64');
  if (bytes.length !== KEY_BYTES) throw unusable(path, `it does not hold ${KEY_BYTES} bytes in base64`);
  return auditKeyOf(bytes);
}

/** Makes the key at `path` when there is none yet; true when it made one. */
export async function makeAuditKey(path: string): Promise<boolean> {
  if ((await readFileIfAny(path)) !== undefined) return false;
  await makePrivateFolder(dirname(path));
  await writeFileAtomic(path, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
  return true;
}

/** The key of these 32 bytes. */
export function auditKeyOf(bytes: Uint8Array): AuditKey {
  const key = createSecretKey(bytes);
  const id = createHash('sha256').update('relay audit key').update(bytes).digest('hex').slice(0, 8);
  return { id, seal: (content) => createHmac('sha256', key).update(content).digest('hex') };
}

function unusable(path: string, why: string): RelayError {
  return new RelayError(
    'relay.audit.key-unusable',
    `The audit log's key ${path} cannot be used: ${why}. Restore it from its backup: without it nobody can tell whether the log was changed.`,
  );
}
