import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const DAY_MS = 86_400_000;

/** Until when certificates that agents were given are valid: so long their root must be trusted. */
export interface IssuedUntil {
  /** Milliseconds since 1970; 0 when none was issued. */
  value(): number;
  /** On disk when it returns. */
  note(endsAt: number): void;
}

/** Kept in the authority's folder. It is written a day ahead, so that a thousand renewals in a day are one write. */
export function openIssuedUntil(folder: string): IssuedUntil {
  const path = join(folder, 'issued-until');
  let until = read(path);
  return {
    value: () => until,
    note(endsAt) {
      if (endsAt <= until) return;
      write(path, String(endsAt + DAY_MS));
      until = endsAt + DAY_MS;
    },
  };
}

function read(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

function write(path: string, text: string): void {
  withOpen(`${path}.new`, 'w', (file) => {
    writeSync(file, text);
    fsyncSync(file);
  });
  renameSync(`${path}.new`, path);
  withOpen(dirname(path), 'r', fsyncSync);
}

function withOpen(path: string, flags: 'r' | 'w', work: (file: number) => void): void {
  const file = openSync(path, flags, 0o600);
  try {
    work(file);
  } finally {
    closeSync(file);
  }
}
