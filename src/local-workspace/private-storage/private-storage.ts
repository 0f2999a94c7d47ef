/**
 * Objects in a location that the customer owns, sealed under the customer's key: `<folder>/<name>.sealed`. Invariant: nothing is written in the
 * clear, and nothing outside the folder is touched. An object is there as a whole or not at all; one of the same name is replaced.
 */
import type { KeyObject } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RelayError } from '../../errors.ts';
import { createTurns } from '../../in-turn.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { checkStorage, storageAway } from './link.ts';
import { checkObjectName, EXPORTS, isObjectName } from './object-name.ts';
import { type Disk, realDisk, replaceFile } from './place/disk.ts';
import { hasFolders, listTree, makeFolders } from './place/folders.ts';
import { readSmall } from './place/read-file.ts';
import { openFrames, sealFrames } from './sealed-frames.ts';

const SUFFIX = '.sealed';

/** An object's largest size, in bytes. */
export const MAX_OBJECT_BYTES: number = 64 * 1024 * 1024;
// Header, and a tag for every frame.
const MAX_SEALED_BYTES = MAX_OBJECT_BYTES + 64 * 1024;

export interface PrivateStorageParts {
  /** Linked before, by `linkStorage`. */
  readonly folder: string;
  readonly workspaceId: WorkspaceId;
  /** What `linkStorage` gave. */
  readonly id: string;
  /** The customer's key (AES-256) as it is at this moment; undefined while the customer does not give it. */
  readonly keyOf: () => KeyObject | undefined;
  readonly disk?: Disk;
}

/**
 * Every call looks whether the folder is the right one: `relay.local-workspace.storage-away` when it is not mounted. Without the key:
 * `relay.local-workspace.storage-key-unavailable`. A name that is none: `relay.local-workspace.bad-object-name`.
 */
export interface PrivateStorage {
  /** Keeps bytes under a name, durably. Throws `relay.local-workspace.object-too-large` above 64 MiB. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when there is none of that name. Throws `relay.local-workspace.cannot-open` when it was changed, or was put under another name. */
  get(name: string): Promise<Buffer | undefined>;
  /** All names that begin with `prefix`, in order; needs no key. */
  list(prefix?: string): Promise<string[]>;
  /** Whether there was one. Needs no key. */
  delete(name: string): Promise<boolean>;
}

export function createPrivateStorage({ folder, workspaceId, id, keyOf, disk = realDisk }: PrivateStorageParts): PrivateStorage {
  const pathOf = (name: string): string => join(folder, name + SUFFIX);
  const contextOf = (name: string): string => `private storage ${workspaceId} ${name}`;
  // One change at a time, so that two puts of one name do not share a draft.
  const inTurn = createTurns();
  const checked = async (name: string): Promise<void> => {
    checkObjectName(name);
    await checkStorage(folder, workspaceId, id);
  };
  const key = (): KeyObject => keyOf() ?? refuseWithoutKey(folder);

  return {
    async put(name, bytes) {
      if (bytes.length > MAX_OBJECT_BYTES) throw tooLarge(name, bytes.length);
      await checked(name);
      const sealed = await collect(sealFrames([bytes], key(), contextOf(name)));
      await inTurn(() =>
        whileThere(folder, async () => {
          if (name.includes('/')) await makeFolders(disk, folder, dirname(name));
          await replaceFile(disk, pathOf(name), sealed);
        }),
      );
    },
    async get(name) {
      await checked(name);
      const sealed = (await isReachable(folder, name)) ? await readSmall(pathOf(name), MAX_SEALED_BYTES) : undefined;
      return sealed && (await collect(openFrames([sealed], key(), contextOf(name))));
    },
    async list(prefix = '') {
      await checkStorage(folder, workspaceId, id);
      const names: string[] = [];
      for await (const { path, kind } of listTree(folder, isNoObject)) {
        const name = path.endsWith(SUFFIX) ? path.slice(0, -SUFFIX.length) : '';
        if (kind === 'file' && name.startsWith(prefix) && isObjectName(name)) names.push(name);
      }
      return names.sort();
    },
    async delete(name) {
      await checked(name);
      return await inTurn(async () => {
        const isThere = (await isReachable(folder, name)) && (await lstat(pathOf(name)).catch(() => undefined)) !== undefined;
        if (!isThere) return false;
        await disk.remove(pathOf(name));
        await disk.syncFolder(dirname(pathOf(name)));
        return true;
      });
    },
  };
}

async function isReachable(folder: string, name: string): Promise<boolean> {
  return !name.includes('/') || (await hasFolders(folder, dirname(name)));
}

async function whileThere(folder: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    throw storageAway(folder, 'it cannot be written', cause);
  }
}

function isNoObject(path: string): boolean {
  return path === EXPORTS || path.slice(path.lastIndexOf('/') + 1).startsWith('.');
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function refuseWithoutKey(folder: string): never {
  throw new RelayError(
    'relay.local-workspace.storage-key-unavailable',
    `The private storage ${folder} cannot be opened: its key, which the customer holds, is not given at this moment. Give access to the key again.`,
  );
}

function tooLarge(name: string, bytes: number): RelayError {
  return new RelayError(
    'relay.local-workspace.object-too-large',
    `"${name}" holds ${bytes} bytes, and an object of the private storage has ${MAX_OBJECT_BYTES} at most. Keep it in parts.`,
  );
}
