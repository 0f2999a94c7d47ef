/** Where an export stands. Invariant: an export goes on only behind the line that was written last, in the very folder that it was written to. */
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RelayError } from '../../errors.ts';
import { makePrivateFolder } from '../../files.ts';
import { replaceFile } from '../private-storage/place/disk.ts';
import { makeFolders } from '../private-storage/place/folders.ts';
import { readSmall } from '../private-storage/place/read-file.ts';
import { type CommitParts, finishPending, readOwnHead, writeOwnHead } from './commit.ts';
import type { ExportPlaces } from './export-parts.ts';
import { UNFINISHED } from './layout.ts';
import { walkManifest } from './manifest-file.ts';
import { writeHeadNote } from './manifest-head.ts';
import { type ManifestHead, type ManifestLine, NO_HASH } from './manifest-line.ts';
import { publicKeyFile } from './signer.ts';

export interface ExportState {
  readonly head: ManifestHead;
  readonly manifestBytes: number;
  /** Until when (`_TimeReceived`, ms) a job has exported a table, by `cursorKey`. */
  readonly cursors: ReadonlyMap<string, number>;
}

/** A job's place in a table. */
export function cursorKey(job: string, table: string): string {
  return `${job} ${table}`;
}

/**
 * Finishes what a crash left, clears drafts away, and says where the export stands; begins it where there never was one. Throws
 * `relay.local-workspace.export-away`, `…export-damaged`, `…export-of-another`.
 */
export async function recoverExport(parts: CommitParts): Promise<ExportState> {
  const { places } = parts;
  await checkTarget(dirname(places.folder));
  await makePrivateFolder(dirname(places.ownHead));
  const own = await readOwnHead(places);
  if (!(await hasManifest(places))) {
    if (own !== undefined) throw away(places.folder, `it has no manifest, and line ${own.number} was written`);
    await begin(parts);
  }
  await checkKey(parts);
  await finishPending(parts);
  await clearDrafts(parts);
  return await readState(parts);
}

async function readState({ places, signer, disk }: CommitParts): Promise<ExportState> {
  const own = await readOwnHead(places);
  const cursors = new Map<string, number>();
  let isOwnThere = own === undefined || own.number === 0;
  const look = ({ entry, hash }: ManifestLine): void => {
    cursors.set(cursorKey(entry.job, entry.table), Date.parse(entry.to));
    if (entry.number === own?.number && hash === own.hash) isOwnThere = true;
  };
  const { head, bytes, last, fault } = await walkManifest(places.manifest, look);
  if (fault !== undefined) throw damaged(places.manifest, fault);
  // The chain binds every line before the last one.
  if (last && !last.isSigned(signer.publicKey)) throw damaged(places.manifest, `line ${head.number} is not signed by this workspace`);
  if (last && last.entry.part < last.entry.parts) throw damaged(places.manifest, `it ends with part ${last.entry.part} of ${last.entry.parts}`);
  if (!isOwnThere) throw damaged(places.manifest, `it ends with line ${head.number}, and line ${own?.number}, which was written, is not in it`);
  if (own?.number !== head.number) await writeOwnHead(disk, places, head);
  return { head, manifestBytes: bytes, cursors };
}

async function begin({ places, signer, disk, workspaceId }: CommitParts): Promise<void> {
  await makeFolders(disk, dirname(places.folder), workspaceId);
  const names = (await readdir(places.folder)).filter((name) => name.startsWith('am-'));
  if (names.length > 0) throw away(places.folder, `it has ${names.length} tables and no manifest`);
  const head: ManifestHead = { number: 0, hash: NO_HASH };
  await replaceFile(disk, places.publicKey, Buffer.from(publicKeyFile(signer.publicKey)));
  await replaceFile(disk, places.head, Buffer.from(writeHeadNote(head, workspaceId, signer)));
  // Last: with it the export is begun.
  await replaceFile(disk, places.manifest, Buffer.alloc(0));
  await writeOwnHead(disk, places, head);
}

async function hasManifest({ folder, manifest }: ExportPlaces): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found && !found.isDirectory()) throw away(folder, 'it is no folder');
  return found !== undefined && (await lstat(manifest).catch(() => undefined)) !== undefined;
}

async function checkTarget(target: string): Promise<void> {
  // The operator's own link to the target is fine.
  const entries = await readdir(target).catch((cause: unknown) => {
    throw away(target, 'it cannot be read', cause);
  });
  void entries;
}

async function checkKey({ places, signer }: CommitParts): Promise<void> {
  const found = (await readSmall(places.publicKey, 4096))?.toString('utf8');
  if (found === publicKeyFile(signer.publicKey)) return;
  throw new RelayError(
    'relay.local-workspace.export-of-another',
    `${places.publicKey} is not the key of this workspace's exports. Give another target, or restore the key that signed what is there.`,
  );
}

async function clearDrafts({ places, disk, workspaceId }: CommitParts): Promise<void> {
  await makeFolders(disk, dirname(places.folder), `${workspaceId}/${UNFINISHED}`);
  const names = await readdir(places.unfinished);
  for (const name of names) await disk.remove(join(places.unfinished, name));
  if (names.length > 0) await disk.syncFolder(places.unfinished);
}

function away(folder: string, why: string, cause?: unknown): RelayError {
  return new RelayError(
    'relay.local-workspace.export-away',
    `The export's folder ${folder} is not there: ${why}. Mount it; nothing is lost, the export goes on where it stopped.`,
    { cause },
  );
}

function damaged(path: string, why: string): RelayError {
  return new RelayError(
    'relay.local-workspace.export-damaged',
    `${path} is not as it was written: ${why}. Nothing is added to it. Look at it with relay local-workspace export verify, restore it, or export to another target.`,
  );
}
