/** Reads what must not be in a bundle, to look for it: every file that the configuration names as a secret, and the relay's own keys. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { changeAt, optionPlaces } from '../configuration/option-places.ts';
import { type Configuration, configurationSchema } from '../configuration/schema.ts';
import { readFileIfAny } from '../files.ts';

export interface KnownSecrets {
  readonly secrets: readonly string[];
  /** Files that are there but could not be read: what they hold could not be looked for. */
  readonly unread: readonly string[];
}

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----([\s\S]*?)-----END /g;
/** Shorter members of a key file are names and times. */
const SHORTEST_KEY = 32;

/** Reads them all. A file that is not there holds nothing. `credentialsFolder`: the operating system's credential store, if there is one. */
export async function readKnownSecrets(configuration: Configuration, credentialsFolder?: string): Promise<KnownSecrets> {
  const paths = [...secretFilesOf(configuration), ...(await ownFilesOf(configuration.data)), ...(await filesIn(credentialsFolder))];
  const found = await Promise.all([...new Set(paths)].map(readSecrets));
  return {
    secrets: found.flatMap((one) => ('secrets' in one ? one.secrets : [])),
    unread: found.flatMap((one) => ('unread' in one ? [one.unread] : [])),
  };
}

/** The files that options name as secret. */
export function secretFilesOf(configuration: Configuration): string[] {
  const places = optionPlaces(configurationSchema).filter(({ facts: { kind } }) => kind.hidden || kind.item?.hidden);
  const found: string[] = [];
  for (const { path } of places)
    changeAt(configuration, path, (value) => {
      for (const each of [value].flat()) if (typeof each === 'string') found.push(each);
      return value;
    });
  return found;
}

async function ownFilesOf(data: string): Promise<string[]> {
  const authority = ['root.key', 'server.key', 'roots.json'].map((name) => join(data, 'authority', name));
  const upstream = (await filesIn(join(data, 'upstream'))).map((folder) => join(folder, 'identity.pem'));
  return [...(await filesIn(join(data, 'keys'))), ...authority, ...upstream];
}

async function filesIn(folder: string | undefined): Promise<string[]> {
  if (folder === undefined) return [];
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}

async function readSecrets(path: string): Promise<{ readonly secrets: readonly string[] } | { readonly unread: string }> {
  try {
    const content = await readFileIfAny(path);
    return { secrets: content === undefined ? [] : secretsIn(content.toString()) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR' ? { secrets: [] } : { unread: path };
  }
}

/** What is secret in a file's text: the private keys of a PEM, the long members of JSON, else all of it, and each of its lines. */
export function secretsIn(text: string): string[] {
  const members = membersOf(text);
  if (members) return members.flatMap((member) => (member.includes('-----BEGIN') ? secretsIn(member) : member.length < SHORTEST_KEY ? [] : [member]));
  if (text.includes('-----BEGIN')) return [...text.matchAll(PRIVATE_KEY)].flatMap(([, body = '']) => [linesOf(body).join(''), ...linesOf(body)]);
  return [text.trim(), ...linesOf(text)];
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Every text in a JSON object; undefined when it is none. */
function membersOf(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  const members: string[] = [];
  try {
    JSON.parse(text, (_name, value: unknown) => {
      if (typeof value === 'string') members.push(value);
      return value;
    });
    return members;
  } catch {
    return undefined;
  }
}
