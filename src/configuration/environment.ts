import { unknownName } from '../nearest.ts';
import { isMapping, type OptionPlace } from './option-places.ts';

/** Environment variables, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the configuration file; it is no option. */
export const FILE_VARIABLE = 'RELAY_CONFIG';

/** What the environment adds to a file. */
export interface Overlay {
  /** The file's value with the environment's in it. */
  readonly value: unknown;
  /** Path of each option set so, and its variable. */
  readonly variables: ReadonlyMap<string, string>;
  /** One sentence for each variable that begins with RELAY_ but is none. Values are never shown. */
  readonly problems: readonly string[];
}

/** Lays the environment's options over a file's. A variable's text is read as its option's kind. */
export function overlayEnvironment(file: unknown, env: Environment, places: readonly OptionPlace[]): Overlay {
  const placeOf = new Map(places.flatMap((place) => (place.variable === undefined ? [] : [[place.variable, place] as const])));
  const variables = new Map<string, string>();
  const problems: string[] = [];
  let value = file;
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('RELAY_') || name === FILE_VARIABLE || text === undefined) continue;
    const place = placeOf.get(name);
    if (place) {
      value = putAt(value, place.path.split('.'), place.facts.kind.fromText(text.trim()));
      variables.set(place.path, name);
    } else problems.push(`${name}: ${unknownVariable(name, placeOf)}`);
  }
  return { value, variables, problems };
}

function unknownVariable(name: string, placeOf: ReadonlyMap<string, unknown>): string {
  const sentence = unknownName('environment variable', name, [FILE_VARIABLE, ...placeOf.keys()]);
  return sentence.includes('did you mean') ? sentence : 'unknown environment variable; relay config reference lists all there are';
}

// Where the file has something that is no section, that is left for the schema to refuse.
function putAt(value: unknown, [key, ...rest]: readonly string[], found: unknown): unknown {
  if (key === undefined) return found;
  if (value !== undefined && value !== null && !isMapping(value)) return value;
  return { ...value, [key]: putAt(value?.[key], rest, found) };
}
