import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { ExporterParts } from '../../../src/local-workspace/export/export-parts.ts';
import { createExporter, type Exporter } from '../../../src/local-workspace/export/exporter.ts';
import { type ExportSigner, exportSignerOf } from '../../../src/local-workspace/export/signer.ts';
import { type ExportSource, scannerSource } from '../../../src/local-workspace/export/source.ts';
import type { Column } from '../../../src/local-workspace/tables/column.ts';
import type { Chunk } from '../../../src/local-workspace/tables/scan.ts';
import { NO_TEXT, type Vector } from '../../../src/local-workspace/tables/vector.ts';
import { silentLogger } from '../../../src/logger.ts';
import { BANK, temporaryFolder } from '../rig.ts';

export const HOUR = 3_600_000;
export const NINE: number = Date.UTC(2026, 10, 29, 9);

/** The same for all tests: making one takes long. */
export const SIGNER: ExportSigner = exportSignerOf(generateKeyPairSync('ed25519').privateKey);

export type Cell = string | number | undefined;
export type TestRow = Readonly<Record<string, Cell>>;

const COLUMNS: readonly Column[] = [
  { name: 'TimeGenerated', type: 'datetime' },
  { name: 'Message', type: 'string' },
  { name: '_TimeReceived', type: 'datetime' },
  { name: '_ItemId', type: 'guid' },
];

/** Some rows as a chunk; a column in which no row has a value is missing. */
export function chunkOf(rows: readonly TestRow[], columns: readonly Column[] = COLUMNS): Chunk {
  const vectors = new Map<string, Vector>();
  for (const { name, type } of columns) {
    const cells = rows.map((row) => row[name]);
    if (cells.every((cell) => cell === undefined)) continue;
    if (type === 'string' || type === 'guid' || type === 'dynamic') {
      const dictionary = [...new Set(cells.filter((cell) => cell !== undefined).map(String))];
      const codes = Uint32Array.from(cells, (cell) => (cell === undefined ? NO_TEXT : dictionary.indexOf(String(cell))));
      vectors.set(name, { kind: 'text', type, dictionary, codes });
    } else {
      vectors.set(name, { kind: 'number', type, values: Float64Array.from(cells, (cell) => (cell === undefined ? Number.NaN : Number(cell))) });
    }
  }
  return { rows: rows.length, vectors };
}

let made = 0;

/** A row received at a time, in milliseconds; it happened a minute before. */
export function row(receivedAt: number, message = 'hello'): TestRow {
  made += 1;
  const id = `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`;
  return { TimeGenerated: receivedAt - 60_000, Message: message, _TimeReceived: receivedAt, _ItemId: id };
}

export interface TestTables {
  readonly source: ExportSource;
  /** Adds a chunk of rows. */
  add(table: string, rows: readonly TestRow[]): void;
  /** All rows received before this are there. */
  settle(before: number): void;
}

/** Tables in memory. */
export function testTables(settledBefore: number = NINE + 24 * HOUR): TestTables {
  const chunks = new Map<string, Chunk[]>();
  let settled = settledBefore;
  const source = scannerSource(
    {
      tables: () => [...chunks.keys()].map((name) => ({ name, columns: COLUMNS })),
      async *scan({ table }) {
        yield* chunks.get(table) ?? [];
      },
    },
    async () => settled,
  );
  return {
    source,
    add: (table, rows) => void chunks.set(table, [...(chunks.get(table) ?? []), chunkOf(rows)]),
    settle(before) {
      settled = before;
    },
  };
}

export interface ExportRig {
  readonly target: string;
  /** `<target>/<workspace>`. */
  readonly folder: string;
  readonly stateFolder: string;
  readonly tables: TestTables;
  /** An exporter as a new process makes it. */
  exporter(more?: Partial<ExporterParts>): Exporter;
}

export async function createExportRig(t: TestContext, tables: TestTables = testTables()): Promise<ExportRig> {
  const target = await temporaryFolder(t);
  const stateFolder = join(await temporaryFolder(t), 'export');
  const parts: ExporterParts = { target, stateFolder, workspaceId: BANK, source: tables.source, signer: SIGNER, clock: { now: () => NINE }, log: silentLogger };
  return { target, folder: join(target, BANK), stateFolder, tables, exporter: (more = {}) => createExporter({ ...parts, ...more }) };
}

/** All files below a folder, in the order of their paths. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** The rows in an export's files, by their ids, in order. */
export async function exportedIds(folder: string): Promise<string[]> {
  const ids: string[] = [];
  for (const path of await filesIn(folder)) {
    if (!path.endsWith('.json.gz')) continue;
    const lines = gunzipSync(await readFile(join(folder, path)))
      .toString('utf8')
      .split('\n');
    ids.push(...lines.filter((line) => line !== '').map((line) => (JSON.parse(line) as { _ItemId: string })._ItemId));
  }
  return ids.sort();
}

export function idsOf(rows: readonly TestRow[]): string[] {
  return rows.map((one) => String(one['_ItemId'])).sort();
}
