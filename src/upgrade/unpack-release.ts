/**
 * Unpacks a release's payload into a new folder. It may hold folders and plain files under bin/ and app/, and release.json; anything else, such as a
 * link, a device, a name that leads out, or a program that would run as another user, ends it.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { badBundle } from './bundle-file.ts';
import type { Payload } from './manifest.ts';
import { type Entry, eachEntry } from './tar-entries.ts';

const MAX_NAME_BYTES = 512;
const FIRST = new Set(['bin', 'app', 'release.json']);
const SPECIAL_BITS = 0o7000;

/** Unpacks into `folder`, which must not exist, no more than the manifest says. Throws `relay.upgrade.bad-bundle`; what was unpacked until then is left. */
export async function unpackRelease(payload: Readable, folder: string, { unpackedBytes, files }: Pick<Payload, 'unpackedBytes' | 'files'>): Promise<void> {
  const left = { bytes: unpackedBytes, files, folders: new Set<string>() };
  await mkdir(folder, { mode: 0o755 });
  const unzipped = new PassThrough();
  const unzipping = pipeline(payload, createGunzip(), unzipped);
  try {
    await eachEntry(unzipped, (entry) => unpackEntry(entry, folder, left));
  } catch (cause) {
    unzipped.destroy();
    await unzipping.catch(() => {});
    throw cause;
  }
  await unzipping;
  if (left.bytes !== 0 || left.files !== 0) throw badBundle(`it holds ${left.files} files and ${left.bytes} bytes fewer than its manifest says`);
}

/** What the manifest still allows, and the folders that are there. */
interface Left {
  bytes: number;
  files: number;
  readonly folders: Set<string>;
}

async function unpackEntry(entry: Entry, folder: string, left: Left): Promise<void> {
  const { type, mode = 0, size = 0 } = entry.header;
  const name = entry.header.name.replace(/\/$/, '');
  if (type !== 'file' && type !== 'directory') throw badBundle(`${JSON.stringify(name)} in it is a ${type}; a release holds files and folders only`);
  if (!isInside(name)) throw badBundle(`the name ${JSON.stringify(name.slice(0, MAX_NAME_BYTES))} in it is none of a release`);
  if ((mode & SPECIAL_BITS) !== 0) throw badBundle(`${name} in it would run as another user (mode ${mode.toString(8)})`);
  const path = join(folder, name);
  if (type === 'directory') {
    await makeFolder(path, left);
    for await (const _nothing of entry);
    return;
  }
  left.files -= 1;
  left.bytes -= size;
  if (left.files < 0 || left.bytes < 0) throw badBundle('it holds more than its manifest says');
  await makeFolder(dirname(path), left);
  await writeEntry(entry, path, (mode & 0o100) !== 0 ? 0o755 : 0o644);
}

async function makeFolder(path: string, { folders }: Left): Promise<void> {
  if (folders.has(path)) return;
  await mkdir(path, { recursive: true, mode: 0o755 });
  folders.add(path);
}

// Exclusive: two entries of one name are no release either.
async function writeEntry(entry: Entry, path: string, mode: number): Promise<void> {
  await using file = await open(path, 'wx', mode);
  for await (const chunk of entry) await file.writeFile(chunk);
  await file.chmod(mode);
}

function isInside(name: string): boolean {
  const parts = name.split('/');
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\p{Cc}\\]/u.test(part));
  return isPlain && Buffer.byteLength(name) <= MAX_NAME_BYTES && FIRST.has(parts[0] ?? '');
}
