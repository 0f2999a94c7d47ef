/** Where the files go that the configuration names. Pure, but for a look at what is there. */
import { join, relative, resolve } from 'node:path';
import type { OptionChange } from '../configuration/put-options.ts';
import type { Configuration } from '../configuration/schema.ts';
import type { InspectedBackup } from './inspect-backup.ts';
import type { NamedMember } from './manifest.ts';
import { isIn, isOwnKey, type NamedFile, namedFiles, nameOf, secretName } from './named-files.ts';

/** Where files go that have no place of their own on this machine: below the configuration file's folder. */
const FOLDER = 'restored';

/** Something to write. `credential`: into the machine's credential store under this name. */
export type Placed = { readonly path: string; readonly content: Buffer } | { readonly credential: string; readonly content: Buffer };

export interface FilePlan {
  readonly placed: readonly Placed[];
  /** What of the configuration's text must change for it. */
  readonly changes: readonly OptionChange[];
  /** What an operator should know. */
  readonly remarks: readonly string[];
}

export interface FilePlace {
  /** Of the configuration file to be. */
  readonly folder: string;
  /** Where the relay's unit finds its credentials, on an appliance; undefined elsewhere. */
  readonly openedCredentials: string | undefined;
  /** What is there already; undefined when nothing is, or it cannot be opened. */
  readonly read: (path: string) => Promise<Buffer | undefined>;
}

/**
 * With the backup's configuration: every file finds a place below the configuration's folder, or in the credential store. Nothing is ever written
 * where only the archive says so. The relay's own keys go to where they are by default.
 */
export async function planFiles({ manifest, contents }: InspectedBackup, configuration: Configuration, place: FilePlace): Promise<FilePlan> {
  const placed = new Map<string, Placed>();
  const changes: OptionChange[] = [];
  const remarks: string[] = [];
  for (const file of namedFiles(configuration)) {
    const name = nameOf(file.option);
    if (isOwnKey(name)) {
      if (!isIn(configuration.data, file.path)) {
        changes.push({ at: file.option, value: undefined });
        remarks.push(`${name} was ${file.path}; that key is in the data folder now, and the option is gone.`);
      }
      continue;
    }
    const from = manifest.files.find(({ option }) => option === name);
    const content = from && contents.get(from.member);
    if (!content) {
      remarks.push(`${name} names ${file.path}, which is not in the backup. Put it there.`);
      continue;
    }
    if ((await place.read(file.path))?.equals(content)) continue;
    const target = placeOf(file, from, { configuration, manifestFolder: manifest.configuration.folder, place });
    const path = 'credential' in target ? join(place.openedCredentials ?? '', target.credential) : target.path;
    placed.set(path, { ...target, content });
    if (path !== file.path) changes.push({ at: file.option, value: path });
  }
  return { placed: [...placed.values()], changes, remarks };
}

interface Placing {
  readonly configuration: Configuration;
  readonly manifestFolder: string;
  readonly place: FilePlace;
}

function placeOf(
  file: NamedFile,
  from: NamedMember,
  { configuration, manifestFolder, place }: Placing,
): { readonly path: string } | { readonly credential: string } {
  if (file.isSecret && place.openedCredentials !== undefined)
    return {
      credential: isIn(place.openedCredentials, from.path) ? from.path.slice(place.openedCredentials.length + 1) : secretName(file.option, configuration),
    };
  if (isIn(manifestFolder, from.path)) return { path: resolve(place.folder, relative(manifestFolder, from.path)) };
  return { path: join(place.folder, FOLDER, secretName(file.option, configuration)) };
}

/** With this machine's own configuration: what it names stays, and what is missing or cannot be opened comes from the backup. */
export async function planMissingFiles({ manifest, contents }: InspectedBackup, configuration: Configuration, place: FilePlace): Promise<FilePlan> {
  const placed: Placed[] = [];
  const remarks: string[] = [];
  for (const file of namedFiles(configuration)) {
    const name = nameOf(file.option);
    if (isOwnKey(name) || (await place.read(file.path))) continue;
    const from = manifest.files.find(({ path }) => path === file.path) ?? manifest.files.find(({ option }) => option === name);
    const content = from && contents.get(from.member);
    if (!content) remarks.push(`${name} names ${file.path}, which is neither here nor in the backup. Put it there.`);
    else if (place.openedCredentials !== undefined && isIn(place.openedCredentials, file.path))
      placed.push({ credential: file.path.slice(place.openedCredentials.length + 1), content });
    else placed.push({ path: file.path, content });
  }
  return { placed, changes: [], remarks };
}
