/**
 * A copy of the catalogue, with all files that it names. Invariant: the replica's catalogue never names a file that the replica has not, and a log
 * goes only after a catalogue came that knows what was in it. So whatever is on the replica, a take-over loses nothing that was copied.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disk } from '../private-storage/place/disk.ts';
import { listTree, makeFolders } from '../private-storage/place/folders.ts';
import { hashFile } from '../private-storage/place/read-file.ts';
import { copyFile, DRAFTS } from './copy-file.ts';
import type { InventoryEntry } from './inventory.ts';
import { isNoCopy } from './marks.ts';
import type { Session } from './session.ts';
import { placeOf, type ReplicaSource, type SourceFile } from './source.ts';

/** Rows that come all the time make new segments of others every second: what is missing of them becomes less with each try. */
const TRIES = 20;
/** Copies of the catalogue are numbered: the one with the highest number holds. */
const COPY = '.relay-catalogue-';

export interface CopyParts {
  readonly source: ReplicaSource;
  readonly session: Session;
  readonly folder: string;
  readonly disk: Disk;
  /** Copies a file that is missing; knows what to do with one that is damaged. */
  readonly copy: (parts: CopyParts, file: SourceFile) => Promise<void>;
}

/** Copies a file that the replica has not yet, and enters it. */
export async function copyMissing({ source, session, folder, disk }: Omit<CopyParts, 'copy'>, wanted: SourceFile): Promise<boolean> {
  const known = session.inventory.get(wanted.path);
  const isWhole = known?.sha256 === wanted.sha256 && (await sizeOf(join(folder, wanted.path))) === wanted.bytes;
  if (isWhole) return false;
  await session.check();
  await copyFile(disk, placeOf(source, wanted), folder, wanted);
  await session.inventory.enter(wanted);
  return true;
}

/** Copies the catalogue and what it names, then removes what the first disk has no more. Throws what a disk says. */
export async function copyCatalogue(parts: CopyParts): Promise<void> {
  // Listed before: what is gone by now is in the catalogue that is copied next.
  const logs = new Set((await parts.source.logs()).map(({ path }) => path));
  const { entry, named } = await freshCatalogue(parts);
  const { inventory } = parts.session;
  await inventory.enter(entry);
  for (const old of inventory.entries()) if (old.path.startsWith(COPY) && old.path !== entry.path) await inventory.strike(old.path);
  await removeSurplus(parts, { named, logs, catalogue: entry.path });
}

async function freshCatalogue(parts: CopyParts): Promise<{ readonly entry: InventoryEntry; readonly named: readonly SourceFile[] }> {
  const { source, session, folder, disk } = parts;
  const draft = join(await makeFolders(disk, folder, DRAFTS), 'catalogue');
  for (let tries = 1; ; tries += 1) {
    await session.check();
    await disk.remove(draft);
    const named = await source.catalogue.copyTo(draft);
    try {
      for (const file of named) await parts.copy(parts, file);
    } catch (cause) {
      // A file that the copy names was removed meanwhile: the next copy does not name it.
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && tries < TRIES) continue;
      throw cause;
    }
    const file = await disk.append(draft);
    await file.sync().finally(() => file.close());
    const path = `${COPY}${String(nextNumber(session)).padStart(10, '0')}`;
    const facts = await hashFile(draft);
    await disk.rename(draft, join(folder, path));
    await disk.syncFolder(folder);
    return { entry: { path, ...facts, as: source.catalogue.path }, named };
  }
}

function nextNumber({ inventory }: Session): number {
  const numbers = inventory.entries().flatMap(({ path }) => (path.startsWith(COPY) ? [Number(path.slice(COPY.length))] : []));
  return Math.max(0, ...numbers) + 1;
}

/** The copy of the catalogue that holds, among what a replica has. */
export function catalogueIn(entries: readonly InventoryEntry[]): InventoryEntry | undefined {
  const copies = entries.filter(({ path }) => path.startsWith(COPY));
  return copies.sort((a, b) => (a.path < b.path ? 1 : -1))[0];
}

interface Keep {
  readonly named: readonly SourceFile[];
  readonly logs: ReadonlySet<string>;
  readonly catalogue: string;
}

async function removeSurplus({ source, session, folder, disk }: CopyParts, { named, logs, catalogue }: Keep): Promise<void> {
  const files = await source.files();
  const logsNow = (await source.logs()).map(({ path }) => path);
  const keep = new Set([...named, ...files].map(({ path }) => path));
  for (const path of [...logs, ...logsNow, catalogue]) keep.add(path);
  // A first disk that says it has nothing is one that is not mounted, rather than one where all was removed.
  if (files.length === 0 && logsNow.length === 0 && session.inventory.entries().length > 1) return;
  await session.check();
  for await (const { path } of listTree(folder, (each) => isNoCopy(each) && !each.startsWith(COPY))) {
    if (keep.has(path)) continue;
    await session.dropLog(path);
    await session.inventory.strike(path);
    await disk.remove(join(folder, path));
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}
