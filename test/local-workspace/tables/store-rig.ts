/** What the tests of the store share: entries as they are staged, tables of one workspace, and a look at all that is in them. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import type { StagedCall, StagedEntry, StagedUpload } from '../../../src/local-workspace/staging/entry.ts';
import { NO_TEXT, type TextVector, type Vector } from '../../../src/local-workspace/tables/vector.ts';
import { openWorkspaceTables, type WorkspaceTables } from '../../../src/local-workspace/tables/workspace-tables.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../../src/workspace/workspace-id.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
export const PLANT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');
export const AGENT = '33333333-3333-4333-8333-333333333333';
export const RELAY = '44444444-4444-4444-8444-444444444444';
export const NOON: number = Date.parse('2026-03-04T12:00:00Z');
export const DAY_MS = 86_400_000;

export const KEY: KeyObject = createSecretKey(Buffer.alloc(32, 7));
export const OTHER_KEY: KeyObject = createSecretKey(Buffer.alloc(32, 8));

export type Fields = Readonly<Record<string, unknown>>;

/** An upload of the agents' protocol. */
export function uploaded(dataType: string, records: readonly Fields[], more: Partial<StagedUpload> = {}): StagedEntry {
  const who = { batchId: 'b', agentId: AGENT, senderId: AGENT, solution: 'S', records: records.length, sha256: '' };
  const head = { kind: 'upload', ...who, receivedAt: NOON, content: { shape: 'envelope' }, encoding: 'identity', dataType, ...more } as const;
  return { head, body: Buffer.from(JSON.stringify({ DataType: dataType, IPName: 'S', DataItems: records })) };
}

/** An upload of the Data Collector API. */
export function custom(logType: string, records: readonly Fields[], timeField?: string): StagedEntry {
  const { head } = uploaded(logType, records, { content: { shape: 'custom', logType, timeField } });
  return { head, body: Buffer.from(JSON.stringify(records)) };
}

/** A call of Logs Ingestion. */
export function called(table: string, columns: StagedCall['columns'], records: readonly Fields[]): StagedEntry {
  const rule = { immutableId: 'dcr-1', stream: `Custom-${table}`, clientId: AGENT, requestId: 'r' };
  const body = Buffer.from(JSON.stringify(records));
  const size = { sha256: '', rawBytes: body.length, rows: records.length };
  return { head: { kind: 'call', ...rule, table, columns, receivedAt: NOON, encoding: 'identity', ...size }, body };
}

export interface OpenParts {
  readonly hotFolder?: string;
  readonly dataKey?: KeyObject;
  readonly workspaceId?: WorkspaceId;
}

export function openTables(folder: string, { hotFolder, dataKey = KEY, workspaceId = BANK }: OpenParts = {}): WorkspaceTables {
  return openWorkspaceTables({ workspaceId, folder, hotFolder, sealerOf: fileSealers(dataKey, workspaceId) });
}

/** Adds these as the next entries, and makes segments of them. */
export function commitAll(tables: WorkspaceTables, ...entries: readonly StagedEntry[]): void {
  for (const entry of entries) tables.add({ ...entry, seq: tables.addedSeq() + 1 });
  tables.commit();
}

/** All rows of a table, with these columns, as queries see them; a column without a value is left out. */
export async function scanned(tables: WorkspaceTables, table: string, columns: readonly string[]): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for await (const chunk of tables.scanner.scan({ table, columns })) {
    for (let row = 0; row < chunk.rows; row += 1) rows.push(rowOf(chunk.vectors, row));
  }
  return rows;
}

function rowOf(vectors: ReadonlyMap<string, Vector>, row: number): Record<string, unknown> {
  const cells = [...vectors].map(([name, vector]) => [name, cellOf(vector, row)] as const);
  return Object.fromEntries(cells.filter(([, cell]) => cell !== undefined));
}

export function cellOf(vector: Vector, row: number): number | string | undefined {
  if (vector.kind === 'text') return vector.codes[row] === NO_TEXT ? undefined : vector.dictionary[vector.codes[row] as number];
  return Number.isNaN(vector.values[row]) ? undefined : vector.values[row];
}

/** The texts of a column, undefined where a row has none, as a vector. */
export function textVector(texts: readonly (string | undefined)[], type: TextVector['type'] = 'string'): TextVector {
  const dictionary = [...new Set(texts.filter((text) => text !== undefined))];
  const places = new Map(dictionary.map((text, place) => [text, place]));
  return { kind: 'text', type, dictionary, codes: Uint32Array.from(texts, (text) => (text === undefined ? NO_TEXT : (places.get(text) ?? NO_TEXT))) };
}

/** Every file below a folder, with its bytes. */
export async function filesBelow(folder: string): Promise<{ readonly path: string; readonly bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
}
