/** A replica's folder while it is there: the parts that change it, each of which looks first whether it is still the same folder, and still ours. */
import type { Disk } from '../private-storage/place/disk.ts';
import { type Inventory, openInventory } from './inventory.ts';
import { createLogCopy, type LogCopy } from './log-copy.ts';
import { type PrimaryMark, readReplicaMark, replicaStamp, superseded } from './marks.ts';
import type { ReplicaSource } from './source.ts';

export interface SessionParts {
  readonly dataFolder: string;
  readonly folder: string;
  readonly source: ReplicaSource;
  readonly mark: PrimaryMark;
  readonly disk: Disk;
}

export interface Session {
  readonly inventory: Inventory;
  /** Throws `relay.local-workspace.superseded` when another data folder took over, and what is wrong when the folder is away. */
  check(): Promise<void>;
  log(path: string): LogCopy;
  /** Whether a file of this path came from the first disk: as far as is known, for a log that went in an earlier session is not. */
  knows(path: string): boolean;
  /** Ends work on a log that is gone, or is to be compared anew. */
  dropLog(path: string): Promise<void>;
  /** Never throws. */
  close(): Promise<void>;
}

/** Looks whether the folder is the right one, and opens it. Throws as `check` does. */
export async function openSession(parts: SessionParts): Promise<Session> {
  const { folder, source, disk } = parts;
  let stamp = await stampOfOurs(parts);
  const inventory = await openInventory(disk, folder);
  const logs = new Map<string, LogCopy>();

  const check = async (): Promise<void> => {
    // Cheap enough for every write: one look at the mark tells that nobody replaced it.
    if ((await replicaStamp(folder)) !== stamp) stamp = await stampOfOurs(parts);
  };
  const dropLog = async (path: string): Promise<void> => {
    const log = logs.get(path);
    logs.delete(path);
    await log?.close();
  };
  return {
    inventory,
    check,
    log(path) {
      const known = logs.get(path) ?? createLogCopy({ disk, from: source.folder, to: folder, path, check });
      logs.set(path, known);
      return known;
    },
    knows: (path) => logs.has(path) || inventory.get(path) !== undefined,
    dropLog,
    async close() {
      await Promise.allSettled([...[...logs.keys()].map(dropLog), inventory.close()]);
    },
  };
}

async function stampOfOurs({ dataFolder, folder, mark }: SessionParts): Promise<string> {
  const found = await readReplicaMark(folder);
  if (found.state === 'away') throw new Error(`${folder} is not the replica's folder at this moment: ${found.why}`);
  const { owner, epoch, id } = found.marker;
  if (epoch > mark.epoch) throw superseded(dataFolder, mark.epoch, epoch);
  if (owner === mark.owner && epoch === mark.epoch && id === mark.id) return found.stamp;
  throw new Error(
    `${folder} is the replica ${id} (epoch ${epoch}), and ${mark.id} (epoch ${mark.epoch}) is linked; link it again with: relay local-workspace replica link`,
  );
}
