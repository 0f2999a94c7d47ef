/**
 * Who may write. A data folder and its replica both carry an epoch; a take-over raises the one of the replica, so that the old data folder, which has
 * the lower one, does not go on. Invariant: of two data folders of one replica only the one with the replica's epoch writes.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RelayError } from '../../errors.ts';
import { type Disk, realDisk } from '../private-storage/place/disk.ts';
import { type MarkerRead, readMarker, stampOf, writeMarker } from '../private-storage/place/marker.ts';

const REPLICA_MARK = '.relay-replica';
/** In the data folder. */
const PRIMARY_MARK = 'replica.json';

/** In a data folder that a take-over is still copying to. */
export const TAKING_OVER = '.relay-taking-over';

/** Whether something in a replica's folder is no copy: our own notes, and what ext4 has at the top of a disk. */
export function isNoCopy(path: string): boolean {
  return path.startsWith('.relay-') || path === 'lost+found';
}

/** What a replica carries. */
export interface ReplicaMark {
  readonly format: 1;
  /** Of the replica. */
  readonly id: string;
  /** Of the data folder that it is a copy of. */
  readonly owner: string;
  readonly epoch: number;
}

/** What a data folder with a replica carries. */
export interface PrimaryMark extends ReplicaMark {
  /** The epoch of the data folder that took over from this one. */
  readonly supersededBy?: number | undefined;
}

const fields = { format: z.literal(1), id: z.guid(), owner: z.guid(), epoch: z.int().min(1) };
const replicaSchema: z.ZodType<ReplicaMark> = z.strictObject(fields);
const primarySchema: z.ZodType<PrimaryMark> = z.strictObject({ ...fields, supersededBy: z.int().min(1).optional() });

export function readReplicaMark(folder: string): Promise<MarkerRead<ReplicaMark>> {
  return readMarker(folder, REPLICA_MARK, replicaSchema);
}

export async function writeReplicaMark(disk: Disk, folder: string, mark: ReplicaMark): Promise<void> {
  await writeMarker(disk, folder, REPLICA_MARK, mark);
}

/** Changes when the mark of the replica does. Throws what the operating system says. */
export function replicaStamp(folder: string): Promise<string> {
  return stampOf(join(folder, REPLICA_MARK));
}

/** Undefined when the data folder has no replica. */
export async function readPrimaryMark(dataFolder: string): Promise<PrimaryMark | undefined> {
  const found = await readMarker(dataFolder, PRIMARY_MARK, primarySchema);
  return found.state === 'there' ? found.marker : undefined;
}

export async function writePrimaryMark(disk: Disk, dataFolder: string, mark: PrimaryMark): Promise<void> {
  await writeMarker(disk, dataFolder, PRIMARY_MARK, mark);
}

/**
 * To be called before a data folder is opened for writing. Throws `relay.local-workspace.superseded` when another one took over from it, and
 * `…take-over-unfinished` when it is the half of a copy.
 */
export async function checkMayWrite(dataFolder: string): Promise<void> {
  if (await isBeingTakenOver(dataFolder)) throw unfinished(dataFolder);
  const mark = await readPrimaryMark(dataFolder);
  if (mark?.supersededBy !== undefined) throw superseded(dataFolder, mark.epoch, mark.supersededBy);
}

/** Whether a take-over to this folder was begun and not finished. */
export async function isBeingTakenOver(dataFolder: string): Promise<boolean> {
  return (await lstat(join(dataFolder, TAKING_OVER)).catch(() => undefined)) !== undefined;
}

function unfinished(dataFolder: string): RelayError {
  return new RelayError(
    'relay.local-workspace.take-over-unfinished',
    `The data folder ${dataFolder} is a copy that was not finished. Run relay local-workspace replica take-over again with the same folders.`,
  );
}

/** The data folder must not be written any more. */
export function superseded(dataFolder: string, epoch: number, by: number): RelayError {
  return new RelayError(
    'relay.local-workspace.superseded',
    `The data folder ${dataFolder} has epoch ${epoch}, and another one took over with epoch ${by}. It must not be written any more: start the local workspace on the other one, and keep or remove this one.`,
  );
}

export interface LinkReplica {
  readonly dataFolder: string;
  readonly folder: string;
  /** A new GUID. */
  readonly newId: () => string;
  /** Takes a folder that carries the mark of another replica, whose copies are then replaced. */
  readonly again?: boolean;
  readonly disk?: Disk;
}

/**
 * Makes an existing folder the replica of a data folder. Throws `relay.local-workspace.replica-of-another` when it is another's, and not
 * `again`; `…folder-not-empty` when it holds something, which would be removed.
 */
export async function linkReplica({ dataFolder, folder, newId, again = false, disk = realDisk }: LinkReplica): Promise<ReplicaMark> {
  await checkMayWrite(dataFolder);
  const before = await readPrimaryMark(dataFolder);
  const found = await readReplicaMark(folder);
  if (found.state === 'there' && !again && found.marker.owner !== before?.owner) {
    throw new RelayError(
      'relay.local-workspace.replica-of-another',
      `The folder ${folder} is the replica of another data folder (epoch ${found.marker.epoch}). Give an empty folder, or say --again when its copies may be replaced.`,
    );
  }
  if (found.state === 'away') await checkEmpty(folder);
  const epoch = Math.max(before?.epoch ?? 1, found.state === 'there' ? found.marker.epoch : 1);
  const mark: ReplicaMark = { format: 1, id: newId(), owner: before?.owner ?? newId(), epoch };
  await writePrimaryMark(disk, dataFolder, mark);
  await writeReplicaMark(disk, folder, mark);
  return mark;
}

async function checkEmpty(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !isNoCopy(name));
  if (names.length === 0) return;
  throw new RelayError(
    'relay.local-workspace.folder-not-empty',
    `The folder ${folder} holds ${names.length} files or folders already, which a replica would remove. Give an empty folder on the second disk.`,
  );
}
