/**
 * The register's copies. Who may send, retention and locks are few rows and copied as a whole; receipts are many, only ever added, and copied in
 * chunks by their places, so that a copy costs the same however long the workspace is kept.
 */
import { closeSync, fdatasyncSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as breathe } from 'node:timers/promises';
import { RECEIPT_TABLES } from '../../intake/database.ts';
import type { SourceFile } from '../source.ts';
import { copyName, freshDraft, nameCopy } from './kept-copies.ts';

/** Places in a full chunk. One of so many receipts is some megabytes, and made in well under a second. */
const CHUNK_PLACES = 20_000;
const CHUNK = /^receipts-(\d{15})-(\d{15})$/;

interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/** A register of its own with everything but receipts. `register` is its file. */
export async function copyWithoutReceipts(register: string, workspaceFolder: string): Promise<SourceFile> {
  const draft = await freshDraft(workspaceFolder);
  writeDatabase(draft, register, (copy) => {
    const schema = copy.prepare("SELECT type, name, sql FROM own.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").all();
    const all = schema as unknown as SchemaRow[];
    const { user_version: version } = copy.prepare('PRAGMA own.user_version').get() as { user_version: number };
    for (const { type, name, sql } of all) {
      if (type !== 'table') continue;
      copy.exec(sql);
      if (!isOfReceipts(name)) copy.exec(`INSERT INTO main.${quoted(name)} SELECT * FROM own.${quoted(name)}`);
    }
    // Last, for a history's guards speak about rows that come, too.
    for (const { type, sql } of all) if (type !== 'table') copy.exec(sql);
    copy.exec(`PRAGMA main.user_version = ${version}`);
  });
  return await nameCopy(workspaceFolder, draft, 'register', '.sqlite');
}

/** Chunks with all receipts up to a place: those that are there already, and new ones. */
export async function copyReceipts(
  register: string,
  workspaceFolder: string,
  { throughSeq, copies }: { readonly throughSeq: number; readonly copies: readonly SourceFile[] },
): Promise<SourceFile[]> {
  const last = Math.min(throughSeq, lastReceipt(register));
  const chunks: SourceFile[] = [];
  for (let from = 0; from < last; ) {
    const to = Math.min(from + CHUNK_PLACES, last);
    const name = `receipts-${placeText(from)}-${placeText(to)}`;
    const known = copies.find(({ path }) => copyName(path)?.what === name);
    chunks.push(known ?? (await writeChunk(register, workspaceFolder, { name, from, to })));
    from = to;
  }
  return chunks;
}

/** The places of a chunk's receipts: behind `from`, up to `to`. Undefined for a copy that is no chunk. */
export function placesOfChunk({ path }: Pick<SourceFile, 'path'>): { readonly from: number; readonly to: number } | undefined {
  const [, from, to] = CHUNK.exec(copyName(path)?.what ?? '') ?? [];
  return from === undefined || to === undefined ? undefined : { from: Number(from), to: Number(to) };
}

async function writeChunk(
  register: string,
  workspaceFolder: string,
  { name, from, to }: { readonly name: string; readonly from: number; readonly to: number },
): Promise<SourceFile> {
  // Between chunks, uploads are taken.
  await breathe();
  const draft = await freshDraft(workspaceFolder);
  writeDatabase(draft, register, (copy) => {
    for (const table of RECEIPT_TABLES) copy.exec(`CREATE TABLE main.${table} AS SELECT * FROM own.${table} WHERE seq > ${from} AND seq <= ${to}`);
  });
  return await nameCopy(workspaceFolder, draft, name, '.sqlite');
}

function lastReceipt(register: string): number {
  const own = new DatabaseSync(register, { readOnly: true, timeout: 5_000 });
  try {
    const places = RECEIPT_TABLES.map((table) => (own.prepare(`SELECT coalesce(max(seq), 0) AS last FROM ${table}`).get() as { last: number }).last);
    return Math.max(...places);
  } finally {
    own.close();
  }
}

/** Writes a new database from what is in the register at one moment, which `fill` sees as `own`; it is on stable storage when this returns. */
function writeDatabase(path: string, register: string, fill: (copy: DatabaseSync) => void): void {
  closeSync(openSync(path, 'wx', 0o600));
  const copy = new DatabaseSync(path, { timeout: 5_000 });
  try {
    copy.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
    copy.prepare('ATTACH ? AS own').run(register);
    copy.exec('BEGIN');
    fill(copy);
    copy.exec('COMMIT');
  } finally {
    copy.close();
  }
  const handle = openSync(path, 'r+');
  try {
    fdatasyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function isOfReceipts(table: string): boolean {
  return RECEIPT_TABLES.some((each) => each === table);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function placeText(seq: number): string {
  return String(seq).padStart(15, '0');
}
