/** The last lines of something, in memory. */
export interface RecentLines {
  add(line: string): void;
  /** The oldest first. */
  all(): readonly string[];
}

/** Keeps as many of the last lines as `limitBytes` hold; a single line that is longer is not kept. */
export function createRecentLines(limitBytes: number): RecentLines {
  let lines: string[] = [];
  let first = 0;
  let bytes = 0;

  // Taken off the front in one go now and then: an array that is shifted each time is moved each time.
  const tidy = (): void => {
    if (first * 2 < lines.length) return;
    lines = lines.slice(first);
    first = 0;
  };

  return {
    add(line) {
      const size = Buffer.byteLength(line);
      if (size > limitBytes) return;
      lines.push(line);
      bytes += size;
      while (bytes > limitBytes) {
        bytes -= Buffer.byteLength(lines[first] ?? '');
        lines[first] = '';
        first += 1;
      }
      tidy();
    },
    all: () => lines.slice(first),
  };
}
