import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { RelayError } from '../errors.ts';

/** Options of one workspace as a file holds them; what is undefined stays as the file has it. */
export interface WorkspaceEntry {
  readonly id: string;
  readonly [name: string]: unknown;
}

export interface Written {
  readonly text: string;
  /** The workspace was there before. */
  readonly replaced: boolean;
}

/**
 * Puts a workspace into the text of a configuration file: a new one behind the others, one with the same id in its place. Comments, and
 * whatever is not in the entry, stay. Throws `relay.configuration.invalid` for a text that is no configuration.
 */
export function putWorkspace(text: string, entry: WorkspaceEntry): Written {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !(document.contents === null || isMap(document.contents)))
    throw new RelayError('relay.configuration.invalid', 'The configuration file is not YAML with options. See what is wrong with: relay config check');
  if (document.contents === null) document.contents = document.createNode({}) as never;
  const list = document.get('workspaces');
  if (!isSeq(list)) {
    if (list !== undefined && list !== null)
      throw new RelayError('relay.configuration.invalid', 'workspaces: found something that is not a list. See: relay config check');
    document.set('workspaces', document.createNode([withoutGaps(entry)]));
    return { text: document.toString({ lineWidth: 0 }), replaced: false };
  }
  const at = list.items.findIndex((item) => isMap(item) && String(item.get('id')).toLowerCase() === entry.id.toLowerCase());
  if (at < 0) list.add(document.createNode(withoutGaps(entry)));
  else overlay(list.items[at] as YAMLMap, withoutGaps(entry), (value) => document.createNode(value));
  return { text: document.toString({ lineWidth: 0 }), replaced: at >= 0 };
}

type Create = (value: unknown) => unknown;

// Section by section, so that options beside the given ones stay, and their comments with them.
function overlay(map: YAMLMap, values: Readonly<Record<string, unknown>>, create: Create): void {
  for (const [name, value] of Object.entries(values)) {
    const before = map.get(name);
    if (isMap(before) && isSection(value)) overlay(before, value, create);
    else if (before !== value) map.set(name, isSection(value) ? create(value) : value);
  }
}

function withoutGaps(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(values).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined) return [];
    if (!isSection(value)) return [[name, value]];
    const inner = withoutGaps(value);
    return Object.keys(inner).length === 0 ? [] : [[name, inner]];
  });
  return Object.fromEntries(given);
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
