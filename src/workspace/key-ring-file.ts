import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, readSecretFile } from '../files.ts';
import type { Logger } from '../logger.ts';
import { type OwnSecrets, plainSecrets, SEALING_KEY } from '../own-secrets.ts';
import { generateKeyRing, type KeyRing, type KeyRingFile, openKeyRing, readKeyRing } from './key-ring.ts';

/** The name under which the operating system's credential store holds the keys. */
const CREDENTIAL = 'cache-keys';

export interface KeyRingPlace {
  /** Folder of the credential store (systemd sets it), if there is one. */
  readonly credentialsFolder: string | undefined;
  /** The file the operator chose. It must exist: a new ring in its place would hide that a backup was not restored. */
  readonly keyFile: string | undefined;
  /** Used, and made when absent, where neither of the two is given. */
  readonly ownFile: string;
  /** How a file of our own is kept: plain unless told. The operator's file always is. */
  readonly secrets?: OwnSecrets;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A key of the ring, without the key itself. */
export interface KeyAge {
  readonly id: string;
  readonly isCurrent: boolean;
  /** Milliseconds since 1970; undefined when nothing tells. */
  readonly createdAt: number | undefined;
}

/** A ring that knows where it is kept. */
export interface StoredKeyRing extends KeyRing {
  /** False for the credential store, which only the operator can write. */
  readonly isWritable: boolean;
  ages(): KeyAge[];
  /**
   * Writes the ring `next` makes of this one, durably, then uses it. Throws `relay.keys.read-only` or `relay.keys.cannot-write`, and the ring
   * stays as it was. A key that somebody put back into the file meanwhile is kept.
   */
  change(next: (content: KeyRingFile) => KeyRingFile): Promise<void>;
}

/** Opens the management group's keys: from the credential store, else the operator's file, else a file of our own with a warning. */
export async function loadKeyRing({ credentialsFolder, keyFile, ownFile, secrets = plainSecrets, now }: KeyRingPlace, log: Logger): Promise<StoredKeyRing> {
  const credential = credentialsFolder && (await readFileIfAny(join(credentialsFolder, CREDENTIAL)));
  if (credential) return storedKeyRing(credential.toString(), { path: undefined });
  if (keyFile !== undefined && (await readFileIfAny(keyFile)) === undefined) {
    throw new RelayError(
      'relay.keys.unusable',
      `cache.keyFile: there is no file ${keyFile}. Restore it from its backup, or leave the option out to have the relay make its own.`,
    );
  }
  if (keyFile !== undefined)
    return storedKeyRing(await readSecretFile(keyFile, log.warn.bind(log)), { path: keyFile, writtenAt: (await stat(keyFile)).mtimeMs });
  const text = (await secrets.read(ownFile)) ?? (await makeOwnFile(ownFile, { now: now(), secrets, log }));
  return storedKeyRing(text.toString(), { path: ownFile, writtenAt: (await stat(ownFile)).mtimeMs, secrets });
}

/** Changes a ring's file that no relay uses at this moment. Throws as `change`, and `relay.keys.unusable`. */
export async function changeKeyRingFile(path: string, next: (content: KeyRingFile) => KeyRingFile): Promise<KeyRing> {
  const ring = storedKeyRing(await readSecretFile(path, () => {}), { path });
  await ring.change(next);
  return ring;
}

interface Kept {
  /** Undefined for the credential store. */
  readonly path: string | undefined;
  readonly writtenAt?: number;
  readonly secrets?: OwnSecrets;
}

function storedKeyRing(text: string, { path, writtenAt, secrets = plainSecrets }: Kept): StoredKeyRing {
  const ring = openKeyRing(text);
  const ages = (): KeyAge[] => {
    const { keys, current, createdAt = {} } = ring.content();
    // Rings of earlier releases tell no times: they were written once, when their key was made.
    return Object.keys(keys).map((id) => ({ id, isCurrent: id === current, createdAt: timeOf(createdAt[id]) ?? writtenAt }));
  };
  const dated = (content: KeyRingFile): KeyRingFile => {
    const known = ages().flatMap(({ id, createdAt }) => (createdAt === undefined ? [] : [[id, new Date(createdAt).toISOString()] as const]));
    return { ...content, createdAt: { ...Object.fromEntries(known), ...content.createdAt } };
  };
  return Object.assign(ring, {
    isWritable: path !== undefined,
    ages,
    async change(next: (content: KeyRingFile) => KeyRingFile): Promise<void> {
      if (path === undefined) {
        throw new RelayError(
          'relay.keys.read-only',
          `The keys come from the systemd credential "${CREDENTIAL}", which the relay cannot write. Decrypt it to a file, add a key with: relay keys rotate --file <file>, encrypt it again, and restart the relay.`,
        );
      }
      const onDisk = await secrets.read(path);
      const content = next(dated(onDisk ? union(readKeyRing(onDisk.toString()), ring.content()) : ring.content()));
      await write(path, content, secrets);
      ring.replace(content);
    },
  });
}

async function write(path: string, content: KeyRingFile, secrets: OwnSecrets): Promise<void> {
  try {
    await secrets.write(path, JSON.stringify(content));
  } catch (cause) {
    throw new RelayError('relay.keys.cannot-write', `The key ring ${path} cannot be written, so its keys stay as they are. Check its folder and the disk.`, {
      cause,
    });
  }
}

function union(onDisk: KeyRingFile, inUse: KeyRingFile): KeyRingFile {
  return { current: inUse.current, keys: { ...onDisk.keys, ...inUse.keys }, createdAt: { ...onDisk.createdAt, ...inUse.createdAt } };
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}

async function makeOwnFile(path: string, { now, secrets, log }: { readonly now: number; readonly secrets: OwnSecrets; readonly log: Logger }): Promise<string> {
  const text = JSON.stringify(generateKeyRing(now));
  await makePrivateFolder(dirname(path));
  await secrets.write(path, text);
  if (!secrets.isSealing) {
    log.warn(
      { path },
      `the keys that seal the cache are in a plain file (mode 0600); give the relay the systemd credential "${SEALING_KEY}" to have them sealed`,
    );
  }
  return text;
}
