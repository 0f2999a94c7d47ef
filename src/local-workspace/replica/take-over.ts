/** Makes a data folder of a replica. Invariant: the old data folder is shut out before the first byte is copied. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RelayError } from '../../errors.ts';
import { makePrivateFolder } from '../../files.ts';
import { type Disk, realDisk } from '../private-storage/place/disk.ts';
import { listTree } from '../private-storage/place/folders.ts';
import { aliveSince } from './alive-note.ts';
import { catalogueIn } from './catalogue-copy.ts';
import { checkReplica, type ReplicaReport } from './check-replica.ts';
import { copyAs } from './copy-file.ts';
import { readInventory } from './inventory.ts';
import { isBeingTakenOver, isNoCopy, type ReplicaMark, readPrimaryMark, readReplicaMark, TAKING_OVER, writePrimaryMark, writeReplicaMark } from './marks.ts';

export interface TakeOver {
  readonly replicaFolder: string;
  /** The new data folder; it must not be there yet, or be empty. */
  readonly toFolder: string;
  /** The old data folder, where it can still be reached: it is told that it was superseded. */
  readonly oldDataFolder?: string | undefined;
  /** Whether a process answers on the old data folder. */
  readonly isRunning?: ((dataFolder: string) => Promise<boolean>) | undefined;
  /** Takes over although the old one was in use within the last minute: when its machine is known to be gone. */
  readonly force?: boolean | undefined;
  readonly nowMs: number;
  readonly newId: () => string;
  readonly disk?: Disk;
}

export type TakeOverOutcome =
  /** `report` has faults: the replica is not whole, and nothing was changed. */
  | { readonly outcome: 'damaged'; readonly report: ReplicaReport }
  | { readonly outcome: 'taken-over'; readonly epoch: number; readonly files: number; readonly bytes: number };

/**
 * Checks the replica, shuts out the old data folder, copies. Can be done again after a failure. Throws `relay.local-workspace.replica-in-use` when the
 * old one is alive, `…replica-not-there`, `…folder-not-empty`.
 */
export async function takeOver(parts: TakeOver): Promise<TakeOverOutcome> {
  const { replicaFolder, toFolder, oldDataFolder, disk = realDisk } = parts;
  const found = await readReplicaMark(replicaFolder);
  if (found.state === 'away') throw notThere(replicaFolder, found.why);
  await checkEmpty(toFolder);
  await checkSilent(parts);
  const report = await checkReplica(replicaFolder);
  if (report.faults.length > 0) return { outcome: 'damaged', report };
  const mark: ReplicaMark = { ...found.marker, owner: parts.newId(), epoch: found.marker.epoch + 1 };
  await writeReplicaMark(disk, replicaFolder, mark);
  if (oldDataFolder !== undefined) await shutOut(disk, oldDataFolder, mark.epoch);
  const { files, bytes } = await copyInto(disk, replicaFolder, toFolder);
  await writePrimaryMark(disk, toFolder, mark);
  // Last: without it the folder may be started.
  await disk.remove(join(toFolder, TAKING_OVER));
  await disk.syncFolder(toFolder);
  return { outcome: 'taken-over', epoch: mark.epoch, files, bytes };
}

async function checkEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
  // A copy that was not finished is copied anew, over what is there.
  if (names.length === 0 || (await isBeingTakenOver(folder))) return;
  throw new RelayError(
    'relay.local-workspace.folder-not-empty',
    `The folder ${folder} holds ${names.length} files already. Give a new one for the data to go to.`,
  );
}

async function checkSilent({ replicaFolder, oldDataFolder, isRunning, force, nowMs }: TakeOver): Promise<void> {
  if (oldDataFolder !== undefined && (await isRunning?.(oldDataFolder))) throw inUse(`a local workspace runs on ${oldDataFolder}: stop it first`);
  const age = await aliveSince(replicaFolder, nowMs);
  if (age === undefined || force) return;
  throw inUse(`its data folder was in use ${Math.round(Math.max(0, age) / 1_000)} seconds ago: stop it, or wait a minute when its machine is gone`);
}

async function shutOut(disk: Disk, dataFolder: string, epoch: number): Promise<void> {
  const mark = await readPrimaryMark(dataFolder);
  if (mark) await writePrimaryMark(disk, dataFolder, { ...mark, supersededBy: epoch });
}

async function copyInto(disk: Disk, from: string, to: string): Promise<{ readonly files: number; readonly bytes: number }> {
  await makePrivateFolder(dirname(to));
  await makePrivateFolder(to);
  const begun = await disk.append(join(to, TAKING_OVER));
  await begun.sync().finally(() => begun.close());
  const inventory = (await readInventory(from)).files;
  let [files, bytes] = [0, 0];
  const copy = async (path: string, as: string, sha256: string | undefined): Promise<void> => {
    const copied = await copyAs(disk, join(from, path), to, { path: as, ...(sha256 === undefined ? {} : { sha256 }) });
    files += 1;
    bytes += copied.bytes;
  };
  for await (const { path } of listTree(from, isNoCopy)) await copy(path, path, inventory.get(path)?.sha256);
  const catalogue = catalogueIn([...inventory.values()]);
  if (catalogue) await copy(catalogue.path, catalogue.as ?? catalogue.path, catalogue.sha256);
  return { files, bytes };
}

function inUse(why: string): RelayError {
  return new RelayError('relay.local-workspace.replica-in-use', `The replica was not taken over: ${why}. Two that write would be worse than one that is down.`);
}

function notThere(folder: string, why: string): RelayError {
  return new RelayError('relay.local-workspace.replica-not-there', `${folder} is no replica: ${why}. Mount its disk, or give the folder that was linked.`);
}
