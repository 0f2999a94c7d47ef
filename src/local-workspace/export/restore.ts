import { join } from 'node:path';
import type { Sealer } from '../private-storage/sealer.ts';
import { MANIFEST } from './layout.ts';
import { readManifest } from './manifest-file.ts';
import type { ManifestEntry } from './manifest-line.ts';
import { type ExportedRow, readPart } from './read-part.ts';
import { type ExportReport, type VerifyOptions, verifyExport } from './verify.ts';

/** Takes what is restored. */
export interface RestoreSink {
  /**
   * Takes the rows of one file, and returns when they are kept. They are to be kept as a whole, after the last one has come: the file is checked
   * while it is read, and the loop over `rows` throws when it is not as it was written. `entry.sha256` tells a file that was taken before.
   */
  take(entry: ManifestEntry, rows: AsyncIterable<readonly ExportedRow[]>): Promise<void>;
}

export interface RestoreOptions extends VerifyOptions {
  /** Opens files that were sealed under the customer's key. */
  readonly sealer?: Sealer | undefined;
  /** The number of the last line whose file was taken before; 0 begins at the beginning. */
  readonly after?: number | undefined;
  /** All when not given. */
  readonly tables?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `lastNumber` is what the next call gives as `after`. */
export type RestoreOutcome =
  | { readonly outcome: 'refused'; readonly report: ExportReport }
  | { readonly outcome: 'restored' | 'stopped'; readonly files: number; readonly rows: number; readonly droppedRows: number; readonly lastNumber: number };

/**
 * Gives the rows of an export to `sink`, file by file in the order of the manifest, once all of it is found as it was written. Rows that two jobs
 * exported are given once: a row whose `_TimeReceived` lies in what an earlier line of another job covers is dropped.
 */
export async function restoreExport(folder: string, sink: RestoreSink, options: RestoreOptions = {}): Promise<RestoreOutcome> {
  const { sealer, after = 0, tables, signal } = options;
  const report = await verifyExport(folder, options);
  if (report.faults.length > 0) return { outcome: 'refused', report };
  const covered = createCover();
  let [files, rows, droppedRows, lastNumber] = [0, 0, 0, after];
  for await (const { line } of readManifest(join(folder, MANIFEST))) {
    if (!line) continue;
    const { entry } = line;
    const isFresh = covered.add(entry);
    if (entry.number <= after || (tables !== undefined && !tables.includes(entry.table))) continue;
    if (signal?.aborted) return { outcome: 'stopped', files, rows, droppedRows, lastNumber };
    await sink.take(
      entry,
      chosen(readPart(folder, entry, sealer), isFresh, (kept, dropped) => {
        rows += kept;
        droppedRows += dropped;
      }),
    );
    files += 1;
    lastNumber = entry.number;
  }
  return { outcome: 'restored', files, rows, droppedRows, lastNumber: report.head.number };
}

type IsFresh = (row: ExportedRow) => boolean;

async function* chosen(
  batches: AsyncIterable<readonly ExportedRow[]>,
  isFresh: IsFresh | undefined,
  count: (kept: number, dropped: number) => void,
): AsyncGenerator<readonly ExportedRow[]> {
  for await (const batch of batches) {
    const kept = isFresh ? batch.filter(isFresh) : batch;
    count(kept.length, batch.length - kept.length);
    if (kept.length > 0) yield kept;
  }
}

interface Span {
  readonly from: number;
  to: number;
}

/** What each job covers of each table, as far as the manifest was read. */
function createCover(): { add(entry: ManifestEntry): IsFresh | undefined } {
  const tables = new Map<string, Map<string, Span>>();
  return {
    /** Enters a line; the rule for its rows, where another job's lines overlap with it. */
    add({ table, job, from, to }) {
      const jobs = tables.get(table) ?? new Map<string, Span>();
      tables.set(table, jobs);
      const own = { from: Date.parse(from), to: Date.parse(to) };
      const others = [...jobs].filter(([name, span]) => name !== job && span.from < own.to && own.from < span.to).map(([, span]) => ({ ...span }));
      const before = jobs.get(job);
      // A job's ranges lie end to end.
      if (before) before.to = own.to;
      else jobs.set(job, own);
      if (others.length === 0) return undefined;
      return (row) => {
        const at = Date.parse(String(row['_TimeReceived']));
        return !others.some((span) => at >= span.from && at < span.to);
      };
    },
  };
}
