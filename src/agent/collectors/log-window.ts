import type { FileHandle } from 'node:fs/promises';
import { MAX_MESSAGE_BYTES } from './syslog-message.ts';

/** Bytes looked at in one read; a line that fills all of it is cut. */
const WINDOW_BYTES = 512 * 1024;
const MAX_LINES = 1_000;
const LINE_FEED = 0x0a;

export interface LineRun {
  readonly lines: readonly string[];
  /** Where the next run begins. */
  readonly offset: number;
}

/** Whole lines from `start`, at most 1000 or 512 KiB, each cut at 16 KiB, empty ones left out. `final`: a last line without an end counts too. */
export async function readLines(file: FileHandle, start: number, final: boolean): Promise<LineRun> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(WINDOW_BYTES), 0, WINDOW_BYTES, start);
  const window = buffer.subarray(0, bytesRead);
  const lines: string[] = [];
  let from = 0;
  while (lines.length < MAX_LINES && from < window.length) {
    const end = endOfLine(window, from, final);
    if (end === undefined) break;
    const line = window.toString('utf8', from, Math.min(end, from + MAX_MESSAGE_BYTES)).trimEnd();
    if (line !== '') lines.push(line);
    from = Math.min(end + 1, window.length);
  }
  return { lines, offset: start + from };
}

// Undefined while the line is still being written.
function endOfLine(window: Buffer, from: number, final: boolean): number | undefined {
  const end = window.indexOf(LINE_FEED, from);
  if (end >= 0) return end;
  return final || (from === 0 && window.length === WINDOW_BYTES) ? window.length : undefined;
}

/** The offset at which the file's last `count` whole lines begin; looks at its last 512 KiB. */
export async function startOfLast(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat();
  const length = Math.min(size, WINDOW_BYTES);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  const lastEnd = buffer.lastIndexOf(LINE_FEED);
  let start = lastEnd;
  for (let found = 0; start >= 0 && found < count; found += 1) start = start === 0 ? -1 : buffer.lastIndexOf(LINE_FEED, start - 1);
  // The window begins in the middle of a line, unless it is the whole file.
  if (start < 0 && length < size) start = buffer.indexOf(LINE_FEED);
  return size - length + start + 1;
}
