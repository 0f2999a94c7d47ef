/**
 * What a newer release would change for good, as it was before: the management group's database as one whole file, and the authority's files. Taken
 * while no relay runs, put back only as far as the older release could not read what it finds. Nothing of the cache is in it: what was acknowledged
 * meanwhile must stay. Copies have the owner and the mode of their originals: they hold the same secrets.
 */
import { chmod, chown, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makePrivateFolder, syncFolder } from '../files.ts';
import { copyStored, layoutOf } from '../management-group/stored-database.ts';
import type { Formats } from './facts-schema.ts';

const DATABASE = 'management-group.sqlite';
const AUTHORITY = 'authority';
/** SQLite's own files beside a database: what was not yet written into it. */
const BESIDE_DATABASE = ['-wal', '-shm', '-journal'];

/** What a snapshot can put back, by the names of their formats. */
export type Part = 'managementGroup' | 'authority';

/** Takes a snapshot of a relay's state, all or nothing. A state without a database or an authority gives one without. */
export async function takeSnapshot(state: string, snapshot: string): Promise<void> {
  const draft = `${snapshot}.part`;
  await makePrivateFolder(dirname(snapshot));
  for (const old of [draft, snapshot]) await rm(old, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  const database = join(state, DATABASE);
  if (await exists(database)) {
    copyStored(database, join(draft, DATABASE));
    await makeLike(database, join(draft, DATABASE));
  }
  if (await exists(join(state, AUTHORITY))) {
    await mkdir(join(draft, AUTHORITY), { mode: 0o700 });
    for (const name of await filesOf(join(state, AUTHORITY))) await copyWhole(join(state, AUTHORITY, name), join(draft, AUTHORITY, name));
    await syncFolder(join(draft, AUTHORITY));
  }
  await syncFolder(draft);
  await rename(draft, snapshot);
  await syncFolder(dirname(snapshot));
}

/** What a release that reads these formats could not read of the state that a release which wrote the `left` ones has left. */
export async function partsToPutBack(state: string, reads: Formats, left: Formats): Promise<Part[]> {
  const [roots, database] = [left['authority'], join(state, DATABASE)];
  return [
    ...((await exists(database)) && !canReadDatabase(reads, database) ? ['managementGroup' as const] : []),
    ...(roots === undefined || canRead(reads, 'authority', roots.writes) ? [] : ['authority' as const]),
  ];
}

function canReadDatabase(reads: Formats, database: string): boolean {
  try {
    const layout = layoutOf(database);
    // 0: not one step was done in it.
    return layout === 0 || canRead(reads, 'managementGroup', layout);
  } catch {
    // Damaged, and it was not before.
    return false;
  }
}

function canRead(reads: Formats, part: Part, number: number): boolean {
  return reads[part]?.reads.includes(number) ?? false;
}

/** Puts parts of a snapshot in the state's place. Once begun it must be begun again after a stop in between: half of it is no state. */
export async function putSnapshotBack(snapshot: string, state: string, parts: readonly Part[]): Promise<void> {
  if (parts.includes('managementGroup') && (await exists(join(snapshot, DATABASE)))) {
    for (const end of BESIDE_DATABASE) await rm(join(state, DATABASE + end), { force: true });
    await replaceBy(join(snapshot, DATABASE), join(state, DATABASE));
  }
  if (!parts.includes('authority') || !(await exists(join(snapshot, AUTHORITY)))) return;
  const before = await filesOf(join(snapshot, AUTHORITY));
  for (const name of before) await replaceBy(join(snapshot, AUTHORITY, name), join(state, AUTHORITY, name));
  for (const name of await filesOf(join(state, AUTHORITY))) if (!before.includes(name)) await rm(join(state, AUTHORITY, name));
  await syncFolder(join(state, AUTHORITY));
}

async function replaceBy(from: string, to: string): Promise<void> {
  const draft = join(dirname(to), `.${basename(to)}.put-back`);
  await copyWhole(from, draft);
  await rename(draft, to);
  await syncFolder(dirname(to));
}

async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await makeLike(from, to);
}

async function makeLike(original: string, copy: string): Promise<void> {
  const { uid, gid, mode } = await stat(original);
  await chmod(copy, mode & 0o777);
  if (process.geteuid?.() === 0) await chown(copy, uid, gid);
  // What syncs a folder syncs a file as well.
  await syncFolder(copy);
}

async function filesOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
