import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { RelayError } from '../errors.ts';
import { encrypt } from './age-file.ts';
import { SUMS, type Sum, writeSums } from './manifest.ts';
import type { FileContent, Member } from './members.ts';

/** What is big is sealed, and does not become smaller. */
const LEVEL = 1;

export interface ArchiveSettings {
  readonly passphrase: string;
  /** The time of its members, in milliseconds since 1970. */
  readonly at: number;
  /** For tests alone. */
  readonly workFactor?: number | undefined;
}

/** What was written. */
export interface Written {
  /** Of the file. */
  readonly bytes: number;
  /** Of each member, with that of the list of sums. */
  readonly sums: readonly Sum[];
}

/**
 * Writes the members and the list of their hashes into a new file of mode 0600: tar, gzip, age. On stable storage when it returns. Throws
 * `relay.backup.cannot-write`, and then the file is for the caller to remove.
 */
export async function writeArchive(path: string, members: readonly Member[], { passphrase, at, workFactor }: ArchiveSettings): Promise<Written> {
  const tar = pack();
  try {
    const packed = createGzip({ level: LEVEL });
    const steps = [putAll(tar, members, at), pipeline(tar, packed)] as const;
    // Whoever fails ends the others; the first reason is told.
    for (const step of steps) step.catch((error: Error) => tar.destroy(error));
    await pipeline(await encrypt(packed, passphrase, workFactor), createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
    const [sums] = await Promise.all(steps);
    return { bytes: (await stat(path)).size, sums };
  } catch (cause) {
    tar.destroy();
    if (cause instanceof RelayError) throw cause;
    throw new RelayError('relay.backup.cannot-write', `The backup could not be written to ${path}. Check the folder, its rights and the space on its disk.`, {
      cause,
    });
  }
}

async function putAll(tar: Pack, members: readonly Member[], at: number): Promise<Sum[]> {
  const sums: Sum[] = [];
  const put = async ({ name, content }: Member): Promise<void> => {
    const header = { name, mode: 0o600, mtime: new Date(at) };
    const sha256 = Buffer.isBuffer(content) ? await putBytes(tar, header, content) : await putFile(tar, header, content);
    sums.push({ name, bytes: Buffer.isBuffer(content) ? content.length : content.bytes, sha256 });
  };
  for (const member of members) await put(member);
  await put({ name: SUMS, content: Buffer.from(writeSums(sums)) });
  tar.finalize();
  return sums;
}

interface Header {
  readonly name: string;
  readonly mode: number;
  readonly mtime: Date;
}

function putBytes(tar: Pack, header: Header, content: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    tar.once('error', reject);
    tar.entry({ ...header }, content, (error) => {
      tar.off('error', reject);
      if (error) reject(error);
      else resolve(createHash('sha256').update(content).digest('hex'));
    });
  });
}

// As many bytes as were there when it was looked at: what is appended meanwhile is no part of it.
async function putFile(tar: Pack, header: Header, { path, bytes }: FileContent): Promise<string> {
  const hash = createHash('sha256');
  const source = bytes === 0 ? Readable.from([]) : createReadStream(path, { end: bytes - 1 });
  await pipeline(
    source,
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        hash.update(piece);
        yield piece;
      }
    },
    tar.entry({ ...header, size: bytes }),
  );
  return hash.digest('hex');
}
