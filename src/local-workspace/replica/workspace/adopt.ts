/**
 * Makes a workspace of the files that a take-over brought: the register is put together, and what was copied under other names gets its own back.
 * Until that is done the catalogue says that it is a copy, so that it is done again after a crash; nothing else writes before.
 */
import { existsSync } from 'node:fs';
import { copyFile, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../../../errors.ts';
import { makePrivateFolder, syncFolder, writeFileAtomic } from '../../../files.ts';
import { inTransaction } from '../../../transaction.ts';
import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import { databasePath } from '../../intake/database.ts';
import { readPrimaryMark } from '../marks.ts';
import { type CopiedWith, cataloguePath, copiedWith, forgetCopiedWith } from './catalogue-snapshot.ts';
import { CHANGING_FILES } from './changing-files.ts';
import { keepOnly } from './kept-copies.ts';
import { placesOfChunk } from './register-copy.ts';

/** Throws `relay.local-workspace.folder-not-empty` when a data folder to take over to has a register of this workspace already. */
export function checkTargetIsNew(dataFolder: string, workspaceId: WorkspaceId): void {
  const register = databasePath(dataFolder, workspaceId);
  if (!existsSync(register)) return;
  throw new RelayError(
    'relay.local-workspace.folder-not-empty',
    `${register} is there already: ${dataFolder} has a workspace ${workspaceId} of its own. Give another folder for the data to go to.`,
  );
}

/** Finishes a take-over; nothing to do for any other folder. `register` is the register's file. Throws `relay.local-workspace.copy-incomplete`. */
export async function adoptCopies(folder: string, register: string): Promise<void> {
  if (!(await readPrimaryMark(folder))) return;
  // A folder that was linked before it was first started has no catalogue yet.
  const copies = existsSync(cataloguePath(folder)) ? copiedWith(folder) : undefined;
  if (!copies) return;
  await buildRegister(folder, register, copies);
  for (const { path, what } of copies) {
    const own = CHANGING_FILES[what];
    if (own === undefined) continue;
    await makePrivateFolder(dirname(join(folder, own)));
    await writeFileAtomic(join(folder, own), await readFile(join(folder, path)));
  }
  await keepOnly(folder, copies);
  forgetCopiedWith(folder);
}

async function buildRegister(folder: string, register: string, copies: readonly CopiedWith[]): Promise<void> {
  const state = copies.find(({ what }) => what === 'register');
  if (!state) throw incomplete(folder, 'the copy of the register is not among them');
  const draft = `${register}.part`;
  await rm(draft, { force: true });
  await copyFile(join(folder, state.path), draft);
  addReceipts(folder, draft, copies);
  const file = await open(draft, 'r+');
  await file.sync().finally(() => file.close());
  for (const beside of ['-wal', '-shm']) await rm(`${register}${beside}`, { force: true });
  await rename(draft, register);
  await syncFolder(dirname(register));
}

function addReceipts(folder: string, draft: string, copies: readonly CopiedWith[]): void {
  const whole = new DatabaseSync(draft);
  try {
    whole.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
    let through = 0;
    for (const { path, from, to } of chunksOf(copies)) {
      if (from !== through) throw incomplete(folder, `receipts ${through + 1} to ${from} are missing`);
      // SQLite would make an empty one in its place.
      if (!existsSync(join(folder, path))) throw incomplete(folder, `${path} is not there`);
      through = to;
      whole.prepare('ATTACH ? AS chunk').run(join(folder, path));
      inTransaction(whole, () => addChunk(whole));
      whole.exec('DETACH chunk');
    }
  } finally {
    whole.close();
  }
}

function addChunk(whole: DatabaseSync): void {
  const tables = whole.prepare("SELECT name FROM chunk.sqlite_master WHERE type = 'table'").all() as { name: string }[];
  for (const { name } of tables) {
    const columns = whole.prepare('SELECT name FROM pragma_table_info(?, ?)').all(name, 'chunk') as { name: string }[];
    const list = columns.map((column) => column.name).join(', ');
    whole.exec(`INSERT INTO main.${name} (${list}) SELECT ${list} FROM chunk.${name} ORDER BY seq`);
  }
}

function chunksOf(copies: readonly CopiedWith[]): { readonly path: string; readonly from: number; readonly to: number }[] {
  const chunks = copies.flatMap(({ path }) => {
    const places = placesOfChunk({ path });
    return places ? [{ path, ...places }] : [];
  });
  return chunks.sort((a, b) => a.from - b.from);
}

function incomplete(folder: string, why: string): RelayError {
  return new RelayError(
    'relay.local-workspace.copy-incomplete',
    `The files in ${folder}, which were taken over from a replica, are not all there: ${why}. Take over again to an empty folder, or look at the replica with: relay local-workspace replica check`,
  );
}
