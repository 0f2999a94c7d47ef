import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, parseDocument } from 'yaml';
import { putWorkspace } from '../configuration/put-workspace.ts';
import { RelayError } from '../errors.ts';

const HEAD = ' Written by relay setup. What is set here by hand stays when it runs again. All options: relay config reference';

/** One option that setup answers for: where it stands, and what a file holds for it. Places of a workspace begin with `workspaces` and its id. */
export interface SetOption {
  readonly at: readonly string[];
  readonly value: unknown;
}

export interface Merging {
  /** What setup put there when it ran last. */
  readonly before: readonly SetOption[];
  readonly now: readonly SetOption[];
  /** Taken where the file says nothing, and never touched again. */
  readonly ifAbsent: readonly SetOption[];
}

/**
 * The text of a configuration file with the options that the answers give. Three ways: an answer that is what it was leaves what somebody set by hand
 * since; a new or changed one is put in; one that is gone takes its option away, if that is still what setup wrote. Comments and everything else stay.
 * Throws `relay.configuration.invalid` for a text that is no configuration.
 */
export function mergeOptions(text: string, { before, now, ifAbsent }: Merging): string {
  const missing = workspacesIn([...now, ...ifAbsent]);
  const withAll = missing.reduce(
    (written, id) => (hasWorkspace(written, id) ? written : putWorkspace(written, { id }).text),
    text.trim() === '' ? `#${HEAD}\n` : text,
  );
  const document = parseDocument(withAll);
  if (document.errors.length > 0 || !(document.contents === null || isMap(document.contents)))
    throw new RelayError('relay.configuration.invalid', 'The configuration file is not YAML with options. See what is wrong with: relay config check');
  if (document.contents === null) document.contents = document.createNode({}) as never;
  const at = (place: readonly string[]): unknown[] | undefined => placeIn(document, place);
  for (const old of before) {
    const place = now.some((each) => isSamePlace(each, old)) ? undefined : at(old.at);
    if (place && isDeepStrictEqual(plain(document, place), old.value)) document.deleteIn(place);
  }
  for (const { at: path, value } of changed(now, before, text)) {
    const place = at(path);
    if (place && !isDeepStrictEqual(plain(document, place), value)) set(document, place, value);
  }
  for (const { at: path, value } of ifAbsent) {
    const place = at(path);
    if (place && plain(document, place) === undefined) set(document, place, value);
  }
  return document.toString({ lineWidth: 0 });
}

// An answer as it was is left alone, but not in a workspace that is new to the file.
function changed(now: readonly SetOption[], before: readonly SetOption[], text: string): readonly SetOption[] {
  return now.filter(({ at, value }) => {
    const [section, id] = at;
    if (text.trim() === '' || (section === 'workspaces' && !hasWorkspace(text, id ?? ''))) return true;
    const old = before.find((each) => isSamePlace(each, { at }));
    return old === undefined || !isDeepStrictEqual(old.value, value);
  });
}

function isSamePlace(one: Pick<SetOption, 'at'>, other: Pick<SetOption, 'at'>): boolean {
  return isDeepStrictEqual(one.at, other.at);
}

function workspacesIn(options: readonly SetOption[]): readonly string[] {
  return [...new Set(options.flatMap(({ at: [section, id] }) => (section === 'workspaces' && id !== undefined ? [id] : [])))];
}

function hasWorkspace(text: string, id: string): boolean {
  return placeIn(parseDocument(text), ['workspaces', id]) !== undefined;
}

// A workspace stands in a list; its place there is found by its id. Undefined when it is not there.
function placeIn(document: Document, [section, id, ...rest]: readonly string[]): unknown[] | undefined {
  if (section !== 'workspaces') return [section, ...(id === undefined ? [] : [id]), ...rest];
  const { workspaces } = (document.toJS() ?? {}) as { readonly workspaces?: unknown };
  const index = Array.isArray(workspaces) ? workspaces.findIndex((each: { id?: unknown } | null) => String(each?.id).toLowerCase() === id) : -1;
  return index < 0 ? undefined : [section, index, ...rest];
}

function plain(document: Document, place: readonly unknown[]): unknown {
  return place.reduce<unknown>((value, name) => (value as Record<string, unknown> | null | undefined)?.[String(name)], document.toJS());
}

function set(document: Document, place: readonly unknown[], value: unknown): void {
  // A section that is there and empty holds nothing to put into.
  for (let length = 1; length < place.length; length += 1) {
    const above = place.slice(0, length);
    if (plain(document, above) === null) document.setIn(above, document.createNode({}));
  }
  document.setIn(place, document.createNode(value));
}
