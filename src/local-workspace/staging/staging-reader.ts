/** Reads a staging log in the order of its places, as the engine works it off. Only what was announced as being on stable storage is read. */
import { closeSync, openSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import type { FileSealer, SealerOf } from '../tables/file-sealer.ts';
import type { PlacedEntry } from './entry.ts';
import { type FoundFrame, openFrame, readFrame } from './frame.ts';
import { type LogFile, listLogFiles, readerOf } from './log-files.ts';

/** `damaged`: an entry that cannot be read any more; reading goes on behind it. */
export type StagingRead =
  | { readonly kind: 'entry'; readonly entry: PlacedEntry }
  | { readonly kind: 'damaged'; readonly file: string; readonly reason: string }
  | { readonly kind: 'end' };

export interface StagingReader {
  /** The next entry with a place up to this one. */
  next(throughSeq: number): StagingRead;
  close(): void;
}

interface Reading {
  readonly file: LogFile;
  readonly handle: number;
  readonly sealer: FileSealer;
  at: number;
}

/** Begins behind the entry of this place. */
export function createStagingReader(folder: string, sealerOf: SealerOf, afterSeq: number): StagingReader {
  let lastSeq = afterSeq;
  let reading: Reading | undefined;

  const close = (): void => {
    if (reading) closeSync(reading.handle);
    reading = undefined;
  };

  // The last file that begins at or before the entry wanted, or else the first that begins behind it: what lies between is gone.
  const openNext = (): boolean => {
    const files = listLogFiles(folder);
    const behind = reading
      ? files.filter(({ firstSeq }) => firstSeq > (reading?.file.firstSeq ?? 0))
      : files.slice(
          Math.max(
            0,
            files.findLastIndex(({ firstSeq }) => firstSeq <= lastSeq + 1),
          ),
        );
    const file = behind[0];
    if (!file) return false;
    close();
    reading = { file, handle: openSync(file.path, 'r'), sealer: sealerOf(file.id), at: 0 };
    return true;
  };

  const step = (from: Reading, throughSeq: number): StagingRead | 'on' | 'end' | 'torn' => {
    const found: FoundFrame = readFrame(readerOf(from.handle), from.at);
    if (found.kind === 'end' || found.kind === 'torn') return found.kind;
    if (found.kind === 'frame' && found.seq > throughSeq) return { kind: 'end' };
    from.at = found.next;
    if (found.kind === 'damaged') return { kind: 'damaged', file: from.file.path, reason: 'its checksum is wrong' };
    if (found.seq <= lastSeq) return 'on';
    lastSeq = found.seq;
    try {
      return { kind: 'entry', entry: openFrame(found, from.sealer) };
    } catch (cause) {
      return { kind: 'damaged', file: from.file.path, reason: messageOf(cause) };
    }
  };

  return {
    next(throughSeq) {
      if (lastSeq >= throughSeq) return { kind: 'end' };
      if (!reading && !openNext()) return { kind: 'end' };
      for (;;) {
        const read = step(reading as Reading, throughSeq);
        if (typeof read === 'object') return read;
        if (read === 'on') continue;
        const { file } = reading as Reading;
        if (!openNext()) return { kind: 'end' };
        // The last file's end may be under way; that of any other ought to be whole.
        if (read === 'torn') return { kind: 'damaged', file: file.path, reason: 'its last entry is not whole' };
      }
    },
    close,
  };
}
