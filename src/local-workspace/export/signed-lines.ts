import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { CheckedLine, Tell } from './faults.ts';
import { MANIFEST } from './layout.ts';
import { readManifest } from './manifest-file.ts';
import type { ManifestEntry } from './manifest-line.ts';

/** What an export holds of one table for one job. */
export interface TableSum {
  readonly job: string;
  readonly table: string;
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  /** The first `from` and the last `to`. */
  readonly from: string;
  readonly to: string;
}

/** What a file must be, by its line. */
export interface WantedFile extends Pick<ManifestEntry, 'number' | 'sha256' | 'bytes'> {}

/** What a manifest says, as far as it can be trusted. */
export interface Reading {
  readonly lines: CheckedLine[];
  /** The hash of each line that is signed, by number. */
  readonly hashes: Map<number, string>;
  readonly files: Map<string, WantedFile>;
  readonly sums: Map<string, TableSum>;
  last: { readonly entry: ManifestEntry; readonly hash: string } | undefined;
}

/** What is said where there is no manifest. */
export const NO_MANIFEST = 'it is gone, or this is no folder of an export';

/** Nothing was read. */
export function emptyReading(): Reading {
  return { lines: [], hashes: new Map(), files: new Map(), sums: new Map(), last: undefined };
}

/** Reads a manifest's lines; those that are not signed with the key, or are another workspace's, are none. Tells when it cannot be read. */
export async function readSignedLines(folder: string, key: KeyObject, tell: Tell): Promise<Reading> {
  const reading = emptyReading();
  let workspace: string | undefined;
  try {
    for await (const { place, line, isWhole } of readManifest(join(folder, MANIFEST))) {
      const isOurs = line?.isSigned(key) === true && (workspace === undefined || workspace === line.entry.workspace);
      reading.lines.push({ place, isWhole, line: isOurs ? { number: line.entry.number, before: line.before, hash: line.hash } : undefined });
      if (!isOurs) continue;
      workspace ??= line.entry.workspace;
      const { entry, hash } = line;
      if (!reading.hashes.has(entry.number)) addSum(reading.sums, entry);
      reading.hashes.set(entry.number, hash);
      reading.files.set(entry.path, { number: entry.number, sha256: entry.sha256, bytes: entry.bytes });
      reading.last = { entry, hash };
    }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    tell({
      at: 'manifest',
      fault: isMissing ? 'missing' : 'changed',
      path: MANIFEST,
      message: isMissing ? NO_MANIFEST : messageOf(error),
    });
  }
  return reading;
}

function addSum(sums: Map<string, TableSum>, { job, table, rows, bytes, from, to }: ManifestEntry): void {
  const name = `${job} ${table}`;
  const before = sums.get(name) ?? { job, table, files: 0, rows: 0, bytes: 0, from, to };
  sums.set(name, { ...before, files: before.files + 1, rows: before.rows + rows, bytes: before.bytes + bytes, to });
}
