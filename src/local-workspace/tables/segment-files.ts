/** The files of one workspace's segments. A file is written whole under another name first, and is never opened for writing again. */
import { createHash, hash, randomUUID } from 'node:crypto';
import { closeSync, fdatasyncSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RelayError } from '../../errors.ts';
import { syncFolderNow } from '../../files.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Place, StoredSegment } from './catalogue.ts';
import type { SealerOf } from './file-sealer.ts';
import { readColumn, readFooter, type SegmentContent, type SegmentFile, type SegmentFooter, writeSegment } from './segment.ts';
import type { Vector } from './vector.ts';

const ENDING = '.seg';
const DRAFT_ENDING = '.part';
const COPY_BYTES = 1024 * 1024;
/** Of so many segments the footer is kept in memory, a few kilobytes each. */
const KNOWN_FOOTERS = 2_000;

export interface SegmentFiles {
  /** Writes a new segment; its file is on stable storage when this returns. */
  write(content: SegmentContent): StoredSegment;
  /** Calls `read` with the open segment. Throws `relay.local-workspace.segment-damaged`. */
  open<Result>(segment: Pick<StoredSegment, 'id' | 'place'>, read: (segment: OpenSegment) => Result): Result;
  /** Its footer, read now unless it was lately, and its columns, each read when it is asked for, as long as the file is there. Throws as `open`, both. */
  reach(segment: Pick<StoredSegment, 'id' | 'place'>): OpenSegment;
  /** Where its file is. */
  pathOf(segment: Pick<StoredSegment, 'id' | 'place'>): string;
  remove(segment: Pick<StoredSegment, 'id' | 'place'>): void;
  /** A copy at the other place, on stable storage and compared by hash. The first one stays. */
  copy(segment: StoredSegment, to: Place): StoredSegment;
  /** Removes every file that is not one of these. */
  sweep(known: readonly Pick<StoredSegment, 'id' | 'place'>[]): void;
}

export interface OpenSegment {
  readonly footer: SegmentFooter;
  column(name: string): Vector | undefined;
}

export interface SegmentFilesParts {
  readonly workspaceId: WorkspaceId;
  /** The folders of the places; without a hot one everything lies in the main one. Each is of this workspace alone. */
  readonly folders: { readonly main: string; readonly hot?: string | undefined };
  readonly sealerOf: SealerOf;
}

export function openSegmentFiles({ workspaceId, folders, sealerOf }: SegmentFilesParts): SegmentFiles {
  const places = (['main', 'hot'] as const).filter((place) => folders[place] !== undefined);
  for (const place of places) mkdirSync(folders[place] as string, { recursive: true, mode: 0o700 });
  const writeTo: Place = folders.hot === undefined ? 'main' : 'hot';
  const folderOf = (place: Place): string => folders[place] ?? folders.main;
  const pathOf = ({ id, place }: Pick<StoredSegment, 'id' | 'place'>): string => join(folderOf(place), `${id}${ENDING}`);
  const sealer = (id: string) => sealerOf(`segment ${id}`);
  // A segment never changes, and its name is never used again.
  const footers = new Map<string, SegmentFooter>();

  const remember = (id: string, footer: SegmentFooter): void => {
    footers.delete(id);
    footers.set(id, footer);
    const [oldest] = footers.keys();
    if (footers.size > KNOWN_FOOTERS && oldest !== undefined) footers.delete(oldest);
  };

  const open = <Result>(segment: Pick<StoredSegment, 'id' | 'place'>, read: (found: OpenSegment) => Result, known?: SegmentFooter): Result => {
    const path = pathOf(segment);
    const handle = openFile(path);
    try {
      const file = { path, size: fstatSync(handle).size, read: readerOf(handle) };
      const own = sealer(segment.id);
      const footer = known ?? readFooter(file, workspaceId, own);
      return read({ footer, column: (name) => readColumn(file, footer, name, own) });
    } finally {
      closeSync(handle);
    }
  };

  return {
    write(content) {
      const id = randomUUID();
      const { bytes, facts } = writeSegment(content, workspaceId, sealer(id));
      const { workspaceId: _, ...kept } = facts;
      const stored = { ...kept, id, place: writeTo, bytes: bytes.length, sha256: hash('sha256', bytes) };
      writeWhole(folderOf(writeTo), pathOf(stored), bytes);
      return stored;
    },
    open: (segment, read) => open(segment, read),
    reach(segment) {
      const footer = footers.get(segment.id) ?? open(segment, (found) => found.footer);
      remember(segment.id, footer);
      return { footer, column: (name) => open(segment, (found) => found.column(name), footer) };
    },
    pathOf,
    remove: (segment) => rmSync(pathOf(segment), { force: true }),
    copy(segment, to) {
      const copied = { ...segment, place: to };
      copyWhole(pathOf(segment), pathOf(copied), segment.sha256);
      syncFolderNow(folderOf(to));
      return copied;
    },
    sweep(known) {
      const paths = new Set(known.map(pathOf));
      for (const place of places) {
        for (const name of readdirSync(folderOf(place))) {
          const path = join(folderOf(place), name);
          if ((name.endsWith(ENDING) || name.endsWith(DRAFT_ENDING)) && !paths.has(path)) rmSync(path, { force: true });
        }
      }
    },
  };
}

function readerOf(handle: number): SegmentFile['read'] {
  return (from, length) => {
    const bytes = Buffer.allocUnsafe(Math.max(length, 0));
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(handle, bytes, read, bytes.length - read, from + read);
      if (count === 0) throw new RangeError(`the file ends before byte ${from + length}`);
      read += count;
    }
    return bytes;
  };
}

function writeWhole(folder: string, path: string, bytes: Buffer): void {
  orNoDraft(path, (draft) => {
    const handle = openSync(draft, 'w', 0o600);
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written);
      fdatasyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, path);
  });
  syncFolderNow(folder);
}

// On a full disk what was written of it would be in the way.
function orNoDraft(path: string, write: (draft: string) => void): void {
  const draft = `${path}${DRAFT_ENDING}`;
  try {
    write(draft);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw cause;
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const message = `The segment ${path} cannot be opened. Check the disk, and restore the file from a backup.`;
    throw new RelayError('relay.local-workspace.segment-damaged', message, { cause });
  }
}

function copyWhole(from: string, to: string, sha256: string): void {
  orNoDraft(to, (draft) => {
    copyTo(draft, from, sha256);
    renameSync(draft, to);
  });
}

function copyTo(draft: string, from: string, sha256: string): void {
  const source = openFile(from);
  const target = openSync(draft, 'w', 0o600);
  try {
    const found = createHash('sha256');
    const piece = Buffer.allocUnsafe(COPY_BYTES);
    for (let at = 0, size = statSync(from).size; at < size; ) {
      const count = readSync(source, piece, 0, piece.length, at);
      if (count === 0) break;
      found.update(piece.subarray(0, count));
      for (let written = 0; written < count; ) written += writeSync(target, piece, written, count - written);
      at += count;
    }
    if (found.digest('hex') !== sha256) {
      throw new RelayError('relay.local-workspace.segment-damaged', `The segment ${from} is not as it was written. Restore the file from a backup.`);
    }
    fdatasyncSync(target);
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
