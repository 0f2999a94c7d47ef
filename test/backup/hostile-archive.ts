/** Archives that nobody but somebody else's program would make, under a passphrase that is right. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { encrypt } from '../../src/backup/age-file.ts';
import { PASSPHRASE, WORK_FACTOR } from './rig.ts';

/** A member with whatever header it claims. `zeros`: so many bytes of it, instead of text. */
export interface HostileMember extends Partial<Header> {
  readonly name: string;
  readonly text?: string;
  readonly zeros?: number;
}

const PIECE = Buffer.alloc(1024 * 1024);

/** Writes the members, as they are, in this order. */
export async function writeHostileArchive(path: string, members: readonly HostileMember[]): Promise<void> {
  const tar = pack();
  const packed = createGzip({ level: 1 });
  const compressed = pipeline(tar, packed);
  // A reader that refuses leaves nobody to read the rest.
  const put = putAll(tar, members);
  await pipeline(await encrypt(packed, PASSPHRASE, WORK_FACTOR), createWriteStream(path));
  await Promise.all([compressed, put]);
}

async function putAll(tar: ReturnType<typeof pack>, members: readonly HostileMember[]): Promise<void> {
  for (const { text = '', zeros, ...header } of members) {
    if (header.type !== undefined && header.type !== 'file') await new Promise((resolve) => tar.entry(header, resolve));
    else if (zeros === undefined) await new Promise((resolve) => tar.entry(header, text, resolve));
    else await pipeline(Readable.from(zeroPieces(zeros)), tar.entry({ ...header, size: zeros }));
  }
  tar.finalize();
}

function* zeroPieces(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= PIECE.length) yield PIECE.subarray(0, left);
}
