import { dirname, join } from 'node:path';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, readSecretFile, writeFileAtomic } from '../files.ts';
import type { Logger } from '../logger.ts';
import { generateKeyRing, type KeyRing, openKeyRing } from './key-ring.ts';

/** The name under which the operating system's credential store holds the keys. */
const CREDENTIAL = 'cache-keys';

export interface KeyRingPlace {
  /** Folder of the credential store (systemd sets it), if there is one. */
  readonly credentialsFolder: string | undefined;
  /** The file the operator chose. It must exist: a new ring in its place would hide that a backup was not restored. */
  readonly keyFile: string | undefined;
  /** Used, and made when absent, where neither of the two is given. */
  readonly ownFile: string;
}

/** Opens the management group's keys: from the credential store, else the operator's file, else a file of our own with a warning. */
export async function loadKeyRing({ credentialsFolder, keyFile, ownFile }: KeyRingPlace, log: Logger): Promise<KeyRing> {
  const credential = credentialsFolder && (await readFileIfAny(join(credentialsFolder, CREDENTIAL)));
  if (credential) return openKeyRing(credential.toString());
  if (keyFile !== undefined && (await readFileIfAny(keyFile)) === undefined) {
    throw new RelayError(
      'relay.keys.unusable',
      `cache.keyFile: there is no file ${keyFile}. Restore it from its backup, or leave the option out to have the relay make its own.`,
    );
  }
  if (keyFile === undefined) await makeOwnFile(ownFile, log);
  return openKeyRing(await readSecretFile(keyFile ?? ownFile, (message) => log.warn(message)));
}

async function makeOwnFile(path: string, log: Logger): Promise<void> {
  if ((await readFileIfAny(path)) !== undefined) return;
  await makePrivateFolder(dirname(path));
  await writeFileAtomic(path, JSON.stringify(generateKeyRing()));
  log.warn(
    { path },
    `the keys that seal the cache are in a plain file (mode 0600); give them as the systemd credential "${CREDENTIAL}" to keep them off the disk`,
  );
}
