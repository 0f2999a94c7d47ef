/** The files that a configuration names: secrets, certificates, authorities to trust. */
import { relative } from 'node:path';
import { isMapping, optionPlaces } from '../configuration/option-places.ts';
import { type Configuration, configurationSchema } from '../configuration/schema.ts';

/** A place in a configuration: keys, and numbers for the items of lists. */
export type OptionPath = readonly (string | number)[];

/** A file that an option names. */
export interface NamedFile {
  readonly option: OptionPath;
  /** Absolute. */
  readonly path: string;
  readonly isSecret: boolean;
}

/** Every file that the configuration names, the key ring's and the audit key's among them; no folder and no socket. */
export function namedFiles(configuration: Configuration): NamedFile[] {
  const places = optionPlaces(configurationSchema).filter(({ path, facts: { kind } }) => kind.name === 'path' && path.endsWith('File'));
  const found = places.flatMap(({ path, facts: { kind } }) =>
    textsAt(configuration, path.replaceAll('[]', '.[]').split('.')).map(({ at, text }) => ({ option: at, path: text, isSecret: kind.hidden === true })),
  );
  return found.filter(({ option }, index) => found.findIndex((other) => nameOf(other.option) === nameOf(option)) === index);
}

/** An option as people write it: `workspaces[0].sharedKeyFile`. */
export function nameOf(option: OptionPath): string {
  return option.reduce<string>((name, part) => (typeof part === 'number' ? `${name}[${part}]` : `${name}${name === '' ? '' : '.'}${part}`), '');
}

/** Whether an option names a key of the relay's own: the key ring, or the key that seals the audit log. */
export function isOwnKey(name: string): boolean {
  return name === 'cache.keyFile' || name === 'audit.keyFile';
}

/** Whether a path lies in a folder, and not that folder itself. */
export function isIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../') && !way.startsWith('/');
}

/**
 * What the credential store calls a secret, and what its file is called elsewhere: `workspace-<id>` for the secret that a workspace itself needs,
 * else after the option.
 */
export function secretName(option: OptionPath, configuration: Configuration): string {
  const [section, index, ...rest] = option;
  if (section !== 'workspaces' || typeof index !== 'number') return wordsOf(option);
  const id = configuration.workspaces[index]?.id ?? String(index);
  const name = rest.join('.');
  const isItsOwn = name === 'sharedKeyFile' || name === 'ingestion.signIn.secretFile' || name === 'ingestion.signIn.certificateFile';
  return isItsOwn ? `workspace-${id}` : `workspace-${id}-${wordsOf(rest)}`;
}

function wordsOf(option: OptionPath): string {
  return option.map((part) => String(part).replace(/File$/, '').replace(/[A-Z]/g, '-$&').toLowerCase()).join('-');
}

function textsAt(value: unknown, [key, ...rest]: readonly string[], at: OptionPath = []): { readonly at: OptionPath; readonly text: string }[] {
  if (key === undefined) return typeof value === 'string' ? [{ at, text: value }] : [];
  if (key === '[]') return Array.isArray(value) ? value.flatMap((item: unknown, index) => textsAt(item, rest, [...at, index])) : [];
  return isMapping(value) ? textsAt(value[key], rest, [...at, key]) : [];
}
