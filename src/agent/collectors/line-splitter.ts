/** Longest line kept, in bytes; a longer one is left out, since half an entry is none. */
const MAX_LINE_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

export interface LineSplitter {
  /** The lines that this chunk completes. */
  push(chunk: Buffer): string[];
}

/** Cuts a stream of bytes into lines, with a cap on what it keeps in memory. */
export function createLineSplitter(): LineSplitter {
  let parts: Buffer[] = [];
  let bytes = 0;
  const keep = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= MAX_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  const take = (): string | undefined => {
    const line = bytes <= MAX_LINE_BYTES ? Buffer.concat(parts).toString() : undefined;
    parts = [];
    bytes = 0;
    return line;
  };
  return {
    push(chunk) {
      const lines: (string | undefined)[] = [];
      let from = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
        keep(chunk.subarray(from, end));
        lines.push(take());
        from = end + 1;
      }
      keep(chunk.subarray(from));
      return lines.filter((line) => line !== undefined);
    },
  };
}
