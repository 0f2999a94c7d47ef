/** One dead letter as a file: a line of JSON that tells whose it is and why, then the sealed batch. Telling about it needs no key and reads no body. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Batch } from '../batch/batch.ts';
import { readBatchId } from '../batch/batch-id.ts';
import { sealBatch } from '../batch/envelope.ts';
import { RelayError } from '../errors.ts';
import type { Format } from '../format.ts';
import type { KeyRing } from '../workspace/key-ring.ts';

/** The line before the sealed batch bears no number; this is its own. */
export const DEAD_LETTER_FORMAT: Format = { reads: [1], writes: 1 };

const CHUNK_BYTES = 4096;
const MAX_LINE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Why a batch is a dead letter. */
export interface DeadLetterCause {
  /** `refused`: upstream would not take its content; `quarantined`: an agent sent it, but nobody can make sense of it. */
  readonly reason: 'refused' | 'quarantined';
  /** Upstream's answer, or what is wrong with the content. */
  readonly answer: string;
  /** Upstream's HTTP status, when there was one. */
  readonly status?: number;
  /** How many records are in it, where they were counted. */
  readonly records?: number;
}

/** A dead letter without its content. */
export interface DeadLetter extends DeadLetterCause, Pick<Batch, 'id' | 'workspaceId' | 'agentId' | 'kind' | 'dataType' | 'receivedAt'> {
  readonly bytes: number;
  /** When it was given up, in milliseconds since 1970. */
  readonly at: number;
}

/** The file of a batch that is given up at `at`. */
export function encodeLetter(batch: Batch, cause: DeadLetterCause, at: number, keys: KeyRing): Buffer {
  const { id, workspaceId, agentId, kind, dataType, receivedAt } = batch;
  const letter: DeadLetter = { id, workspaceId, agentId, kind, dataType, receivedAt, bytes: batch.body.length, at, ...cause };
  return Buffer.concat([Buffer.from(`${JSON.stringify(letter)}\n`), ...sealBatch(batch, keys)]);
}

/** Takes a file's content apart. Throws `relay.cache.damaged`. */
export function decodeLetter(content: Buffer, path: string): { readonly letter: DeadLetter; readonly sealed: Buffer } {
  const end = content.indexOf(NEWLINE);
  return { letter: readLine(end < 0 ? undefined : content.subarray(0, end), path), sealed: content.subarray(end + 1) };
}

/** Reads what a file tells of its letter, and how large it is; no more than its first line. Throws `relay.cache.damaged`. */
export async function readLetter(path: string): Promise<{ readonly letter: DeadLetter; readonly fileBytes: number }> {
  const file = await open(path, 'r');
  try {
    return { letter: readLine(await readFirstLine(file), path), fileBytes: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

async function readFirstLine(file: FileHandle): Promise<Buffer | undefined> {
  for (let bytes = CHUNK_BYTES; bytes <= MAX_LINE_BYTES; bytes *= 8) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    const end = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
    if (end >= 0) return buffer.subarray(0, end);
    if (bytesRead < bytes) return undefined;
  }
  return undefined;
}

function readLine(line: Buffer | undefined, path: string): DeadLetter {
  try {
    const letter = JSON.parse(line?.toString() ?? '') as DeadLetter;
    if (path.endsWith(`/${letter.workspaceId}/${readBatchId(letter.id)}${path.slice(path.lastIndexOf('.'))}`) && Number.isFinite(letter.at)) return letter;
  } catch {
    // Said below, for every way of being damaged.
  }
  throw new RelayError('relay.cache.damaged', `${path} is no dead letter: its first line does not tell whose it is.`);
}
