import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { RelayError } from '../../../errors.ts';

const PIECE_BYTES = 256 * 1024;
// A FIFO that somebody planted must not keep us waiting.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens a regular file to read. A link and whatever else is no file is refused: `relay.local-workspace.not-a-file`. */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, READ).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ELOOP' ? notAFile(path, 'a symbolic link', cause) : cause;
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw notAFile(path, 'a folder or a device');
}

/** The bytes of a regular file from `from` on, up to `to` (its end), piece by piece. A piece is overwritten by the next one. */
export async function* readPieces(path: string, from = 0, to: number = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const file = await openRegular(path);
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = from; at < to; ) {
      const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, to - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

export interface FileFacts {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Length and hash of a regular file, or of its first `upTo` bytes. */
export async function hashFile(path: string, upTo: number = Number.POSITIVE_INFINITY): Promise<FileFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of readPieces(path, 0, upTo)) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Reads a small regular file; undefined when there is none. Throws `relay.local-workspace.too-large` when it holds more than `maxBytes`. */
export async function readSmall(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of readPieces(path, 0, maxBytes + 1)) {
      pieces.push(Buffer.from(piece));
      bytes += piece.length;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
  if (bytes <= maxBytes) return Buffer.concat(pieces);
  throw new RelayError('relay.local-workspace.too-large', `The file ${path} holds more than ${maxBytes} bytes. It is none of ours: look who put it there.`);
}

function notAFile(path: string, what: string, cause?: unknown): RelayError {
  return new RelayError(
    'relay.local-workspace.not-a-file',
    `${path} is ${what}, and a file belongs there. Nothing is read or written through it: look who put it there, and remove it.`,
    { cause },
  );
}
