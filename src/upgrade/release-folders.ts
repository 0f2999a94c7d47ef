/** The releases that are on the machine: a folder each, named after its version, and the two links that say which runs and which ran before. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { RelayError } from '../errors.ts';
import { syncFolder } from '../files.ts';
import type { Places } from '../host/places.ts';
import { type ReleaseFacts, releaseFactsSchema } from './facts-schema.ts';

const MAX_FACTS_BYTES = 256 * 1024;

/** Where a link such as `current` leads: a version; undefined when there is no link. */
export async function releaseAt(link: string): Promise<string | undefined> {
  const target = await readlink(link).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  return target === undefined ? undefined : basename(target);
}

/** What the release in this folder says of itself. Throws `relay.upgrade.bad-release`. */
export async function factsOf(folder: string): Promise<ReleaseFacts> {
  const path = join(folder, 'release.json');
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > MAX_FACTS_BYTES) throw new Error(`it has ${text.length} characters`);
    return releaseFactsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RelayError('relay.upgrade.bad-release', `${path} does not tell which release is there. Install that release again from its bundle.`, { cause });
  }
}

/** Points a link at a release, in one step that a power cut leaves undone or done. */
export async function pointAt(link: string, releaseFolder: string): Promise<void> {
  const draft = `${link}.${randomBytes(6).toString('hex')}`;
  await symlink(relative(dirname(link), releaseFolder), draft);
  await rename(draft, link);
  await syncFolder(dirname(link));
}

/** Removes a link, if it is there. */
export async function removeLink(link: string): Promise<void> {
  await rm(link, { force: true });
  await syncFolder(dirname(link));
}

/** Removes every release but these, and what an upgrade that was killed left behind. Returns the names of what went. */
export async function removeOtherReleases({ releases, current, previous }: Places, keep: readonly string[]): Promise<string[]> {
  const gone = (await readdir(releases)).filter((name) => !keep.includes(name));
  for (const name of gone) await rm(join(releases, name), { recursive: true, force: true });
  for (const link of [current, previous]) await removeDrafts(link);
  return gone;
}

async function removeDrafts(link: string): Promise<void> {
  const drafts = (await readdir(dirname(link))).filter((name) => name.startsWith(`${basename(link)}.`));
  for (const name of drafts) await rm(join(dirname(link), name), { force: true });
}
