import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Columns } from './row.ts';

const gzipped = promisify(gzip);
/** Text is turned into bytes in pieces of about so many characters. */
const PIECE_CHARACTERS = 64 * 1024;
/** Rows of one body: what takes bodies apart later has a limit of its own. */
const MAX_ROWS = 500_000;
/** What a row adds beside its columns: braces, and a comma or a bracket; and the last bracket. */
const AROUND_BYTES = 3;

/** Bodies of batches, each a JSON array, filled with rows one after the other. */
export interface RowBodies {
  /** Whether the body at hand has room for a row. One without rows always has. */
  hasRoom(row: Columns): boolean;
  add(row: Columns): void;
  /** Ends the body at hand; the next row begins another. */
  cut(): Promise<void>;
  /** All bodies; none when there were no rows. */
  finish(): Promise<readonly Buffer[]>;
}

export interface RowBodiesOptions {
  /** Bytes of one body before it is compressed. */
  readonly maxBytes: number;
  readonly encoding: 'gzip' | 'identity';
}

export function createRowBodies({ maxBytes, encoding }: RowBodiesOptions): RowBodies {
  const bodies: Buffer[] = [];
  let pieces: Buffer[] = [];
  let text = '';
  let bytes = 0;
  let rows = 0;

  const cut = async (): Promise<void> => {
    const body = Buffer.concat([...pieces, Buffer.from(`${text}]`)]);
    pieces = [];
    text = '';
    bytes = 1;
    rows = 0;
    // The fastest level: rows repeat themselves so much that a better one saves little for three times the work.
    bodies.push(encoding === 'gzip' ? await gzipped(body, { level: 1 }) : body);
  };

  return {
    hasRoom: (row) => rows === 0 || (bytes + row.bytes + AROUND_BYTES <= maxBytes && rows < MAX_ROWS),
    add(row) {
      text += `${rows === 0 ? '[' : ','}{${row.json}}`;
      bytes += row.bytes + AROUND_BYTES;
      rows += 1;
      if (text.length < PIECE_CHARACTERS) return;
      pieces.push(Buffer.from(text));
      text = '';
    },
    cut,
    async finish() {
      if (rows > 0) await cut();
      return bodies;
    },
  };
}
