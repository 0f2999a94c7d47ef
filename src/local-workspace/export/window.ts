/** Writes the rows of one window (a table, a range of `_TimeReceived` within an hour) into drafts, and makes the lines that name them. */
import { join } from 'node:path';
import type { Disk } from '../private-storage/place/disk.ts';
import type { ColumnType } from '../tables/column.ts';
import type { ExporterParts, ExportPlaces } from './export-parts.ts';
import { columnsOf, type JsonLines, jsonLines } from './json-lines.ts';
import { filePath } from './layout.ts';
import { createPartWriter, type PartFacts, type PartWriter } from './part-writer.ts';
import type { ReceivedRange } from './source.ts';

/** A file that is written, and has no name yet. */
export interface Draft extends PartFacts {
  readonly number: number;
  /** Its name among the drafts. */
  readonly draft: string;
  /** The name it is to get. */
  readonly path: string;
  readonly rows: number;
  readonly oldest: number | undefined;
  readonly newest: number | undefined;
  readonly columns: Readonly<Record<string, ColumnType>>;
}

export interface WindowParts extends Pick<ExporterParts, 'source' | 'sealer' | 'workspaceId'> {
  readonly places: ExportPlaces;
  readonly disk: Disk;
  readonly partBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface Window extends ReceivedRange {
  readonly hour: number;
  /** The number of the first line. */
  readonly firstNumber: number;
}

/** What a sealed file is sealed for; a file under another name does not open. */
export function sealContext(workspaceId: string, path: string): string {
  return `export ${workspaceId} ${path}`;
}

/** The drafts of a window's rows; none when it has no rows. Throws when `signal` is aborted; drafts stay until the next start of the exporter. */
export async function writeWindow(parts: WindowParts, window: Window): Promise<Draft[]> {
  const drafts: Draft[] = [];
  let open: OpenDraft | undefined;
  try {
    for await (const chunk of parts.source.rows(window)) {
      parts.signal?.throwIfAborted();
      const columns = columnsOf(chunk);
      for (const lines of jsonLines(chunk, window)) {
        open ??= await openDraft(parts, window, drafts.length);
        await open.add(lines, columns);
        if (open.contentBytes() < parts.partBytes) continue;
        drafts.push(await open.end());
        open = undefined;
      }
    }
    if (open) drafts.push(await open.end());
    open = undefined;
    if (drafts.length > 0) await parts.disk.syncFolder(parts.places.unfinished);
    return drafts;
  } finally {
    await open?.abandon();
  }
}

interface OpenDraft extends Pick<PartWriter, 'contentBytes' | 'abandon'> {
  add(lines: JsonLines, columns: Record<string, ColumnType>): Promise<void>;
  end(): Promise<Draft>;
}

async function openDraft(parts: WindowParts, { table, hour, firstNumber }: Window, before: number): Promise<OpenDraft> {
  const { sealer, disk, workspaceId, places } = parts;
  const number = firstNumber + before;
  const path = filePath({ table, hour, number, isSealed: sealer !== undefined });
  const draft = `${number}.draft`;
  const sealed = sealer && { sealer, context: sealContext(workspaceId, path) };
  const writer = await createPartWriter({ disk, path: join(places.unfinished, draft), sealed });
  const all: Record<string, ColumnType> = {};
  let rows = 0;
  let oldest: number | undefined;
  let newest: number | undefined;
  return {
    async add(lines, columns) {
      await writer.write(lines.bytes);
      Object.assign(all, columns);
      rows += lines.rows;
      oldest = least(oldest, lines.oldest);
      newest = greatest(newest, lines.newest);
    },
    contentBytes: writer.contentBytes,
    end: async () => ({ ...(await writer.end()), number, draft, path, rows, oldest, newest, columns: all }),
    abandon: writer.abandon,
  };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function greatest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
