/** Puts a verified bundle's release beside the others, and tries it as far as that goes without running it. Nothing that runs is touched. */
import { readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { RelayError } from '../errors.ts';
import { syncFolder } from '../files.ts';
import type { Places } from '../host/places.ts';
import type { Programs } from '../host/run-program.ts';
import { roughSize } from '../rough.ts';
import { badBundle, readBundle, type VerifiedBundle } from './bundle-file.ts';
import type { ReleaseFacts } from './facts-schema.ts';
import { factsOf } from './release-folders.ts';
import type { ReleaseKey } from './signatures.ts';
import { unpackRelease } from './unpack-release.ts';

/** What must stay free beside the release, for snapshots and logs. */
const RESERVE_BYTES = 256 * 1024 ** 2;
/** A file takes whole blocks. */
const BLOCK_BYTES = 4096;
const TRY_MS = 60_000;
const SHOWN_CHARACTERS = 2_000;

/** Throws `relay.upgrade.no-room` when the release would not fit. */
export async function mustHaveRoom({ manifest }: VerifiedBundle, { releases }: Pick<Places, 'releases'>): Promise<void> {
  const { unpackedBytes, files } = manifest.payload;
  const needed = unpackedBytes + files * BLOCK_BYTES + RESERVE_BYTES;
  const { bavail, bsize } = await statfs(releases);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new RelayError(
    'relay.upgrade.no-room',
    `${releases} has ${roughSize(free)} free, the release needs ${roughSize(needed)}. Make room there, and try again. Nothing was changed.`,
  );
}

/**
 * Unpacks the release as `<version>.part`, tries it there, and gives it its name when it is whole, known to work as far as can be said, and on stable
 * storage. Throws as `verifyBundle`, and `relay.upgrade.does-not-run`; nothing is left then.
 */
export async function installRelease(path: string, trusted: readonly ReleaseKey[], places: Places, programs: Programs): Promise<ReleaseFacts> {
  let part: string | undefined;
  try {
    const { manifest } = await readBundle(path, trusted, async (payload, { release, payload: size }) => {
      part = join(places.releases, `${release.version}.part`);
      await rm(part, { recursive: true, force: true });
      await unpackRelease(payload, part, size);
    });
    if (part === undefined) throw badBundle('it has no payload');
    if (!isDeepStrictEqual(await factsOf(part), manifest.release)) throw badBundle('the release in it says something else of itself than its manifest');
    await tryRelease(part, manifest.release, places, programs);
    await makeDurable(part, programs);
    await name(part, join(places.releases, manifest.release.version));
    return manifest.release;
  } catch (cause) {
    if (part !== undefined) await rm(part, { recursive: true, force: true });
    throw cause;
  }
}

// By the new release's own Node and code: does it run here, is it what it says, can it use this configuration?
async function tryRelease(folder: string, { version }: ReleaseFacts, { configuration }: Places, programs: Programs): Promise<void> {
  const run = (...args: readonly string[]): ReturnType<Programs['run']> =>
    programs.run(join(folder, 'bin', 'node'), [join(folder, 'app', 'src', 'main.ts'), ...args], { timeoutMs: TRY_MS });
  const said = await run('--version');
  if (said.code !== 0 || said.out.trim() !== version)
    throw doesNotRun(`it was asked for its version, ended with ${said.code} and said: ${shown(said.err || said.out)}`);
  const checked = await run('config', 'check', '--config', configuration);
  if (checked.code !== 0) throw doesNotRun(`it cannot use this configuration: ${shown(checked.err || checked.out)}`);
}

// One syncfs(2) in place of an fsync for each of thousands of files.
async function makeDurable(folder: string, programs: Programs): Promise<void> {
  const { code, err } = await programs.run('sync', ['--file-system', folder]);
  if (code !== 0) throw new RelayError('relay.upgrade.no-room', `${folder} could not be written to stable storage: ${err.trim()}. Nothing was changed.`);
}

// A release of that version that is there already, from an upgrade that was taken back, gives way.
async function name(part: string, folder: string): Promise<void> {
  const old = `${folder}.old`;
  await rm(old, { recursive: true, force: true });
  if ((await readdir(join(folder, '..'))).includes(folder.slice(folder.lastIndexOf('/') + 1))) await rename(folder, old);
  await rename(part, folder);
  await syncFolder(join(folder, '..'));
  await rm(old, { recursive: true, force: true });
}

function shown(text: string): string {
  return text.trim().slice(0, SHOWN_CHARACTERS) || 'nothing';
}

function doesNotRun(why: string): RelayError {
  return new RelayError('relay.upgrade.does-not-run', `The new release would not run on this machine: ${why}. Nothing was changed.`);
}
