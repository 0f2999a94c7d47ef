/**
 * The loss ledger's file: one JSON value a line, only ever added to, each write synced before anyone is told. A torn last line is what a crash
 * left of a write nobody was told of: it is cut off. When a write fails nobody knows what is on disk: the next one begins with the whole
 * state in a new file, put in the old one's place in one step.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { readFileIfAny, writeFileAtomic } from '../files.ts';
import type { Format } from '../format.ts';
import { writeAll } from './write-all.ts';

/** The lines bear no number; this is theirs. */
export const LOSS_JOURNAL_FORMAT: Format = { reads: [1], writes: 1 };

const REWRITE_ABOVE_BYTES = 4 * 1024 * 1024;

export interface LossJournal {
  /** Adds lines, all or none; resolves when they are on stable storage. One call at a time. */
  append(lines: readonly unknown[]): Promise<void>;
  close(): Promise<void>;
}

/** Reads the lines of a journal; what is no whole line is told to `onDamage`. */
export async function readLossJournal(path: string, onDamage: (bytes: number) => void): Promise<unknown[]> {
  const text = (await readFileIfAny(path))?.toString('utf8') ?? '';
  return text.split('\n').flatMap((line, at, all) => {
    if (line === '') return [];
    try {
      // Without its line break the last line was never finished, however whole it looks.
      if (at < all.length - 1) return [JSON.parse(line) as unknown];
    } catch {}
    onDamage(Buffer.byteLength(line));
    return [];
  });
}

/** Opens a journal to write. `state` gives the lines that stand for all that was ever written. */
export function createLossJournal(path: string, state: () => readonly unknown[]): LossJournal {
  let file: { readonly handle: FileHandle; end: number } | undefined;
  let stateBytes = 0;

  const closeFile = async (): Promise<void> => {
    const open = file;
    file = undefined;
    await open?.handle.close();
  };

  const startOver = async (): Promise<void> => {
    await closeFile();
    const content = encode(state());
    await writeFileAtomic(path, content);
    stateBytes = content.length;
    file = { handle: await open(path, constants.O_RDWR), end: content.length };
  };

  return {
    async append(lines) {
      if (!file || file.end > 2 * stateBytes + REWRITE_ABOVE_BYTES) await startOver();
      if (!file) return;
      const bytes = encode(lines);
      try {
        await writeAll(file.handle, [bytes], file.end);
        await file.handle.datasync();
        file.end += bytes.length;
      } catch (cause) {
        await closeFile().catch(() => {});
        throw cause;
      }
    },
    close: closeFile,
  };
}

function encode(lines: readonly unknown[]): Buffer {
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
