/** Secrets as a command finds them that is no service: opened for the relay's unit while it runs, else in the machine's credential store. */
import { join } from 'node:path';
import { RelayError } from '../errors.ts';
import { readFileIfAny } from '../files.ts';
import type { CredentialStore } from '../host/credentials.ts';
import { isSealed, type OwnSecrets, ownSecretsWith, plainSecrets, readSealingKey, SEALING_KEY } from '../own-secrets.ts';
import { isIn } from './named-files.ts';

const MOST_BYTES = 1024 * 1024;
const KEY_RING_CREDENTIAL = 'cache-keys';

export interface MachineSecretsParts {
  /** The credential folder of this very process, if it has one. */
  readonly credentialsFolder: string | undefined;
  /** Where the relay's unit has its credentials while it runs. */
  readonly openedCredentials: string;
  /** On an appliance. */
  readonly store: CredentialStore | undefined;
}

export interface MachineSecrets {
  /** A credential; undefined when there is none of that name. Throws `relay.host.credential-failed`. */
  credential(name: string): Promise<Buffer | undefined>;
  /** The key ring, where the operator keeps it in the credential store. */
  keyRing(): Promise<Buffer | undefined>;
  /** A file that the configuration names, or undefined; one of the relay's credentials is found whether the relay runs or not. Throws `relay.backup.unreadable-file`. */
  named(path: string): Promise<Buffer | undefined>;
  /** Reads a file of the data folder in the clear, and changes nothing; undefined when there is none. Throws `relay.own-secrets.sealed`. */
  own(path: string): Promise<Buffer | undefined>;
}

export function createMachineSecrets({ credentialsFolder, openedCredentials, store }: MachineSecretsParts): MachineSecrets {
  let sealing: Promise<OwnSecrets> | undefined;
  const folders = [credentialsFolder, openedCredentials].filter((folder) => folder !== undefined);

  const credential = async (name: string): Promise<Buffer | undefined> => {
    for (const folder of folders) {
      const found = await read(join(folder, name));
      if (found) return found;
    }
    return await store?.get(name);
  };
  const openSealing = async (): Promise<OwnSecrets> => {
    const key = await credential(SEALING_KEY);
    return key ? ownSecretsWith(readSealingKey(key.toString())) : plainSecrets;
  };

  return {
    credential,
    keyRing: () => credential(KEY_RING_CREDENTIAL),
    async named(path) {
      const isCredential = isIn(openedCredentials, path);
      return (await read(path)) ?? (isCredential ? await store?.get(path.slice(openedCredentials.length + 1)) : undefined);
    },
    async own(path) {
      const found = await read(path);
      if (!found || !isSealed(found)) return found;
      sealing ??= openSealing();
      return await (await sealing).read(path);
    },
  };
}

async function read(path: string): Promise<Buffer | undefined> {
  let found: Buffer | undefined;
  try {
    found = await readFileIfAny(path);
  } catch (cause) {
    throw new RelayError('relay.backup.unreadable-file', `${path} cannot be read. Run this as root, or as the relay's own user.`, { cause });
  }
  if (found && found.length > MOST_BYTES)
    throw new RelayError('relay.backup.unreadable-file', `${path} has ${found.length} bytes; a key or a certificate has ${MOST_BYTES} at most.`);
  return found;
}
