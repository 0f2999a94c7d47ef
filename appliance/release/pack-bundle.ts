/** Makes a bundle of a staged release: the same bytes from the same release and the same keys. */
import { createHash, type KeyObject } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { BUNDLE_ENTRIES } from '../../src/upgrade/bundle-file.ts';
import { encodeManifest, MANIFEST_FORMAT, type Manifest, type Payload } from '../../src/upgrade/manifest.ts';
import { factsOf } from '../../src/upgrade/release-folders.ts';
import { signManifest } from '../../src/upgrade/signatures.ts';

type Pack = ReturnType<typeof pack>;

/** Packs and signs the release in `folder` (bin/, app/, release.json) as the new file `out`. A release with anything but files and folders is none. */
export async function packBundle(folder: string, keys: readonly KeyObject[], out: string): Promise<Manifest> {
  const release = await factsOf(folder);
  const mtime = new Date(release.builtAt);
  const payload = `${out}.payload`;
  const draft = `${out}.part`;
  try {
    const manifest: Manifest = { format: MANIFEST_FORMAT, release, payload: await packPayload(folder, payload, mtime) };
    const text = encodeManifest(manifest);
    const bundle = pack();
    const written = pipeline(bundle, createWriteStream(draft, { flags: 'wx', mode: 0o644 }));
    bundle.entry({ name: BUNDLE_ENTRIES[0], mode: 0o644, mtime }, text);
    bundle.entry({ name: BUNDLE_ENTRIES[1], mode: 0o644, mtime }, signManifest(text, keys));
    await addFile(bundle, payload, { name: BUNDLE_ENTRIES[2], size: manifest.payload.bytes, mode: 0o644, mtime });
    bundle.finalize();
    await written;
    await syncFile(draft);
    await rename(draft, out);
    return manifest;
  } finally {
    for (const left of [payload, draft]) await rm(left, { force: true });
  }
}

async function packPayload(folder: string, to: string, mtime: Date): Promise<Payload> {
  const archive = pack();
  const written = pipeline(archive, createGzip({ level: 9 }), createWriteStream(to, { flags: 'wx', mode: 0o600 }));
  const total = { unpackedBytes: 0, files: 0 };
  for (const name of await listOf(folder)) {
    const { size, mode } = await stat(join(folder, name));
    total.unpackedBytes += size;
    total.files += 1;
    await addFile(archive, join(folder, name), { name, size, mode: (mode & 0o100) !== 0 ? 0o755 : 0o644, mtime });
  }
  archive.finalize();
  await written;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(to)) hash.update(chunk as Buffer);
  return { bytes: (await stat(to)).size, sha256: hash.digest('hex'), ...total };
}

/** Every file below a folder, by the order of their names' bytes. */
async function listOf(folder: string, below = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await listOf(folder, name)));
    else if (entry.isFile()) found.push(name);
    else throw new Error(`${join(folder, name)} is neither a file nor a folder, and a release holds nothing else`);
  }
  return below === '' ? found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))) : found;
}

async function addFile(archive: Pack, path: string, header: { name: string; size: number; mode: number; mtime: Date }): Promise<void> {
  // Most of them are small: whole files are quicker than a stream for each.
  if (header.size < 1024 * 1024) {
    archive.entry(header, await readFile(path));
    return;
  }
  await pipeline(createReadStream(path), archive.entry(header));
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}
