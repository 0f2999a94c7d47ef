/** Bundles that nobody's tool would make: whatever payload, rightly signed; whatever entries, in whatever order. */
import { hash, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { encodeManifest, type Manifest } from '../../src/upgrade/manifest.ts';
import { signManifest } from '../../src/upgrade/signatures.ts';
import { formatsWithLayout, MAKER } from './small-release.ts';

/** An entry of an archive; a file of this content unless told. */
export interface CraftedEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly type?: 'file' | 'symlink' | 'link' | 'directory' | 'character-device' | 'block-device' | 'fifo';
  readonly linkname?: string;
  readonly mode?: number;
}

/** A tar archive of these entries. */
export async function archiveOf(entries: readonly CraftedEntry[]): Promise<Buffer> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const { name, content = '', type = 'file', linkname, mode = 0o644 } of entries) {
    const header = { name, type, mode, ...(linkname === undefined ? {} : { linkname }) };
    if (type === 'file') archive.entry(header, content);
    else archive.entry(header);
  }
  archive.finalize();
  return await bytes;
}

export interface Crafting {
  readonly keys?: readonly KeyObject[];
  /** Laid over what the payload truly has. */
  readonly says?: Partial<Manifest['payload']>;
  readonly version?: string;
}

/** A bundle whose payload holds these entries, its manifest true and signed by the maker unless told. */
export async function craftBundle(
  path: string,
  entries: readonly CraftedEntry[],
  { keys = [MAKER.privateKey], says = {}, version = '0.2.0' }: Crafting = {},
): Promise<string> {
  const payload = gzipSync(await archiveOf(entries));
  const files = entries.filter(({ type = 'file' }) => type === 'file');
  const manifest = encodeManifest({
    format: 1,
    release: {
      name: 'ops-relay',
      version,
      builtAt: '2026-11-28T00:00:00.000Z',
      node: process.versions.node,
      followsFrom: '0.1.0',
      formats: formatsWithLayout(3),
    },
    payload: {
      bytes: payload.length,
      sha256: hash('sha256', payload),
      unpackedBytes: files.reduce((sum, { content = '' }) => sum + Buffer.byteLength(content), 0),
      files: files.length,
      ...says,
    },
  });
  const parts = [
    { name: 'manifest.json', content: manifest },
    { name: 'manifest.sig', content: signManifest(manifest, keys) },
    { name: 'payload.tar.gz', content: payload },
  ];
  await writeFile(path, await archiveOf(parts));
  return path;
}

/** Takes a bundle apart, has its entries changed, and writes it again. */
export async function alterBundle(from: string, to: string, change: (entries: { name: string; content: Buffer }[]) => CraftedEntry[]): Promise<string> {
  const entries: { name: string; content: Buffer }[] = [];
  const archive = extract();
  archive.end(await readFile(from));
  for await (const entry of archive) entries.push({ name: entry.header.name, content: await buffer(entry) });
  await writeFile(to, await archiveOf(change(entries)));
  return to;
}
