/**
 * A workspace as a replica's source. What is copied with a catalogue is what is to be used with it after a take-over, and the order makes them fit:
 * the register is copied first, so that what it says was done to the tables is done in them; receipts only as far as the tables have rows, so that
 * those behind are written again from the staging log.
 */
import { copyFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makePrivateFolder } from '../../../files.ts';
import { listLogFiles } from '../../staging/log-files.ts';
import type { ReplicaSource, SourceFile, SourceLog } from '../source.ts';
import { type Folders, noteCopiedWith, openToRead, removeSnapshot, segmentsIn, snapshotTo } from './catalogue-snapshot.ts';
import { copyChangingFiles } from './changing-files.ts';
import { COPIES, copyName, keepOnly, listCopies } from './kept-copies.ts';
import { copyReceipts, copyWithoutReceipts } from './register-copy.ts';

export interface WorkspaceSourceParts extends Folders {
  /** The register's file. */
  readonly register: string;
  /** How much of a log that is being written is whole; undefined for one of the past. */
  readonly lengthOf: (path: string) => number | undefined;
}

/** The path of a staging log's file on both disks. */
export function logPath(file: string): string {
  return `staging/${basename(file)}`;
}

export function createWorkspaceSource({ register, lengthOf, ...folders }: WorkspaceSourceParts): ReplicaSource {
  const { folder } = folders;

  // Beside the catalogue, for what SQLite does on the second disk could hang with it.
  const snapshot = join(folder, 'replica-catalogue.sqlite');

  const copyTo = async (path: string): Promise<readonly SourceFile[]> => {
    await makePrivateFolder(join(folder, COPIES));
    await removeSnapshot(snapshot);
    const state = await copyWithoutReceipts(register, folder);
    const changing = await copyChangingFiles(folder);
    const { segments, stagedSeq } = await snapshotTo(snapshot, folders);
    const receipts = await copyReceipts(register, folder, { throughSeq: stagedSeq, copies: await listCopies(folder) });
    const copies = [state, ...changing, ...receipts];
    noteCopiedWith(
      snapshot,
      copies.map((file) => ({ path: file.path, what: copyName(file.path)?.what ?? '' })),
    );
    await keepOnly(folder, copies);
    await copyFile(snapshot, path);
    await removeSnapshot(snapshot);
    return [...copies, ...segments];
  };

  return {
    folder,
    async files() {
      const catalogue = openToRead(folder);
      try {
        return [...segmentsIn(catalogue, folders), ...(await listCopies(folder))];
      } finally {
        catalogue.close();
      }
    },
    logs: () => logsIn(folder, lengthOf),
    catalogue: { path: 'catalogue.sqlite', copyTo },
  };
}

async function logsIn(folder: string, lengthOf: WorkspaceSourceParts['lengthOf']): Promise<SourceLog[]> {
  const logs: SourceLog[] = [];
  for (const file of listLogFiles(join(folder, 'staging'))) {
    const path = logPath(file.path);
    const found = await stat(file.path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return undefined;
      throw cause;
    });
    if (found) logs.push({ path, bytes: lengthOf(path) ?? found.size });
  }
  return logs;
}
