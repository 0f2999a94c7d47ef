import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Disk } from '../private-storage/place/disk.ts';
import type { Sealer } from '../private-storage/sealer.ts';

// What is written gets no other mode any more.
const READ_ONLY = 0o400;

export interface PartFacts {
  readonly bytes: number;
  readonly sha256: string;
  readonly contentBytes: number;
  readonly contentSha256: string;
}

/** One file of an export while it is written. Both functions throw what the operating system says. */
export interface PartWriter {
  /** Returns when there is room for more. */
  write(content: Buffer): Promise<void>;
  /** So much content was written. */
  contentBytes(): number;
  /** Returns when the file is whole and on stable storage. */
  end(): Promise<PartFacts>;
  /** Gives it up; never throws. */
  abandon(): Promise<void>;
}

export interface PartPlace {
  readonly disk: Disk;
  readonly path: string;
  /** Seals the compressed bytes, for this context. */
  readonly sealed?: { readonly sealer: Sealer; readonly context: string } | undefined;
}

/** Begins a file (mode 0400) whose content is compressed, and sealed where that is wanted. */
export async function createPartWriter({ disk, path, sealed }: PartPlace): Promise<PartWriter> {
  const file = await disk.create(path, READ_ONLY);
  // What goes wrong is told by whoever reads from it.
  const gzip = createGzip().on('error', () => {});
  const content = createHash('sha256');
  const stored = createHash('sha256');
  let [bytes, contentBytes] = [0, 0];

  const store = async (): Promise<void> => {
    for await (const piece of sealed ? sealed.sealer.seal(gzip, sealed.context) : gzip) {
      stored.update(piece as Uint8Array);
      bytes += (piece as Uint8Array).length;
      await file.write(piece as Uint8Array);
    }
  };
  // A failure is kept for whoever writes or ends next.
  const storing = store();
  storing.catch(() => {});

  return {
    async write(more) {
      content.update(more);
      contentBytes += more.length;
      if (!gzip.write(more)) await Promise.race([once(gzip, 'drain'), storing]);
    },
    contentBytes: () => contentBytes,
    async end() {
      gzip.end();
      await storing;
      await file.sync();
      await file.close();
      return { bytes, sha256: stored.digest('hex'), contentBytes, contentSha256: content.digest('hex') };
    },
    async abandon() {
      gzip.destroy();
      await storing.catch(() => {});
      await file.close().catch(() => {});
    },
  };
}
