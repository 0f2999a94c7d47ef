import { readPieces } from '../private-storage/place/read-file.ts';
import { follows, MAX_LINE_BYTES, type ManifestHead, type ManifestLine, NO_HASH, readLine } from './manifest-line.ts';

const LINE_BREAK = 0x0a;

/** A line with where it stands. */
export interface PlacedLine {
  /** From 1. */
  readonly place: number;
  /** Undefined when these bytes are no line. */
  readonly line: ManifestLine | undefined;
  /** False for what stands behind the last line break. */
  readonly isWhole: boolean;
  /** Where the line, with its break, ends in the file. */
  readonly end: number;
}

/** Reads a manifest line by line, in little memory. Throws what the operating system says, also when there is none (ENOENT). */
export async function* readManifest(path: string): AsyncGenerator<PlacedLine> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let place = 0;
  let end = 0;
  const placed = (isWhole: boolean): PlacedLine => {
    place += 1;
    end += heldBytes + (isWhole ? 1 : 0);
    const line = isWhole && heldBytes <= MAX_LINE_BYTES ? readLine(Buffer.concat(held)) : undefined;
    held = [];
    heldBytes = 0;
    return { place, line, isWhole, end };
  };
  const hold = (bytes: Buffer): void => {
    heldBytes += bytes.length;
    // A line that is too long is none, and need not be kept.
    if (heldBytes <= MAX_LINE_BYTES) held.push(Buffer.from(bytes));
  };
  for await (const piece of readPieces(path)) {
    let from = 0;
    for (let to = piece.indexOf(LINE_BREAK); to >= 0; to = piece.indexOf(LINE_BREAK, from)) {
      hold(piece.subarray(from, to));
      yield placed(true);
      from = to + 1;
    }
    if (from < piece.length) hold(piece.subarray(from));
  }
  if (heldBytes > 0) yield placed(false);
}

/** What a manifest comes to, when all of its lines follow each other. */
export interface ManifestSum {
  readonly head: ManifestHead;
  /** Bytes of whole lines. */
  readonly bytes: number;
  readonly last: ManifestLine | undefined;
  /** Why it does not hold, and from which line on. */
  readonly fault?: string;
}

/** Walks along the chain; `look` sees each line that follows. The signatures are the caller's business. */
export async function walkManifest(path: string, look: (line: ManifestLine) => void): Promise<ManifestSum> {
  let sum: ManifestSum = { head: { number: 0, hash: NO_HASH }, bytes: 0, last: undefined };
  for await (const { place, line, isWhole, end } of readManifest(path)) {
    if (!isWhole) return { ...sum, fault: `it ends in the middle of line ${place}` };
    if (!line || !follows(line, sum.head)) return { ...sum, fault: `line ${place} is not as it was written` };
    look(line);
    sum = { head: { number: line.entry.number, hash: line.hash }, bytes: end, last: line };
  }
  return sum;
}
