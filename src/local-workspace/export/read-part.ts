import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { messageOf, RelayError } from '../../errors.ts';
import { hasFolders } from '../private-storage/place/folders.ts';
import { readPieces } from '../private-storage/place/read-file.ts';
import type { Sealer } from '../private-storage/sealer.ts';
import type { ManifestEntry } from './manifest-line.ts';
import { sealContext } from './window.ts';

const BATCH_ROWS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;
const LINE_BREAK = 0x0a;

/** A row as it was exported: datetimes as ISO 8601, timespans as `d.hh:mm:ss`, dynamics as themselves; a value that it has not is missing. */
export type ExportedRow = Readonly<Record<string, unknown>>;

/**
 * The rows of one file, a thousand at most at a time. The file is checked while it is read, so only who has come to the end knows that the rows are
 * those that were written: throws `relay.local-workspace.export-damaged` else, and what the sealer throws for a sealed one.
 */
export async function* readPart(folder: string, entry: ManifestEntry, sealer: Sealer | undefined): AsyncGenerator<readonly ExportedRow[]> {
  const stored = createHash('sha256');
  const content = createHash('sha256');
  const batch = createBatch();
  let [rows, bytes] = [0, 0];
  for await (const piece of contentOf(folder, entry, { sealer, stored })) {
    content.update(piece);
    bytes += piece.length;
    // What unfolds to more than was written is not read on.
    if (bytes > entry.contentBytes) throw damaged(entry, 'it holds more than was written');
    for (const full of batch.add(piece, entry)) {
      rows += full.length;
      yield full;
    }
  }
  const rest = batch.end(entry);
  rows += rest.length;
  if (stored.digest('hex') !== entry.sha256 || content.digest('hex') !== entry.contentSha256) throw damaged(entry, 'its bytes are not those that were written');
  if (rows !== entry.rows) throw damaged(entry, `it holds ${rows} rows, and ${entry.rows} were written`);
  if (rest.length > 0) yield rest;
}

interface PartReading {
  readonly sealer: Sealer | undefined;
  readonly stored: { update(bytes: Uint8Array): unknown };
}

async function* contentOf(folder: string, entry: ManifestEntry, { sealer, stored }: PartReading): AsyncGenerator<Buffer> {
  if (!(await hasFolders(folder, dirname(entry.path)))) throw damaged(entry, 'it is gone');
  const bytes = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of readPieces(join(folder, entry.path))) {
      stored.update(piece);
      // Copied: the piece is overwritten while the stream still works on it.
      yield Buffer.from(piece);
    }
  };
  const gunzip = createGunzip();
  const feeding = pipeline(opened(bytes(), entry, sealer), gunzip);
  feeding.catch(() => {});
  try {
    for await (const piece of gunzip) yield piece as Buffer;
    await feeding;
  } catch (cause) {
    throw cause instanceof RelayError ? cause : damaged(entry, messageOf(cause), cause);
  } finally {
    gunzip.destroy();
    await feeding.catch(() => {});
  }
}

function opened(bytes: AsyncIterable<Buffer>, entry: ManifestEntry, sealer: Sealer | undefined): AsyncIterable<Uint8Array> {
  if (entry.seal === 'none') return bytes;
  if (sealer) return sealer.open(bytes, sealContext(entry.workspace, entry.path));
  throw new RelayError('relay.local-workspace.storage-key-unavailable', `${entry.path} is sealed under the customer's key. Give the key to read it.`);
}

interface Batch {
  /** Batches that are full now. */
  add(piece: Buffer, entry: ManifestEntry): ExportedRow[][];
  end(entry: ManifestEntry): ExportedRow[];
}

function createBatch(): Batch {
  let held: Buffer[] = [];
  let rows: ExportedRow[] = [];
  let bytes = 0;
  return {
    add(piece, entry) {
      const full: ExportedRow[][] = [];
      let from = 0;
      for (let to = piece.indexOf(LINE_BREAK); to >= 0; to = piece.indexOf(LINE_BREAK, from)) {
        const line = Buffer.concat([...held, piece.subarray(from, to)]);
        held = [];
        from = to + 1;
        rows.push(readRow(line, entry));
        bytes += line.length;
        if (rows.length < BATCH_ROWS && bytes < BATCH_BYTES) continue;
        full.push(rows);
        [rows, bytes] = [[], 0];
      }
      if (from < piece.length) held.push(piece.subarray(from));
      return full;
    },
    end(entry) {
      if (held.length > 0) throw damaged(entry, 'it ends in the middle of a row');
      return rows;
    },
  };
}

function readRow(line: Buffer, entry: ManifestEntry): ExportedRow {
  try {
    return JSON.parse(line.toString('utf8')) as ExportedRow;
  } catch (cause) {
    throw damaged(entry, 'it has a line that is no JSON', cause);
  }
}

function damaged({ path, number }: ManifestEntry, why: string, cause?: unknown): RelayError {
  return new RelayError(
    'relay.local-workspace.export-damaged',
    `${path} (line ${number} of the manifest) is not as it was written: ${why}. Restore it from a copy.`,
    {
      cause,
    },
  );
}
