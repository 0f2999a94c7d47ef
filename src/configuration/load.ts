import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { RelayError } from '../errors.ts';
import { type Environment, overlayEnvironment } from './environment.ts';
import { changeAt, type OptionPlace, optionPlaces } from './option-places.ts';
import { problemsOf } from './problems.ts';
import { type Configuration, configurationSchema } from './schema.ts';

const DEFAULT_FILE = '/etc/relay/relay.yaml';
const MAX_FILE_BYTES = 256 * 1024;
const MAX_PROBLEMS_SHOWN = 100;

/** Where a configuration comes from. */
export interface ConfigurationSource {
  /** The file named on the command line. */
  readonly file?: string | undefined;
  readonly env: Environment;
}

/** Absolute path of the file in use: the one named, else RELAY_CONFIG's, else /etc/relay/relay.yaml. */
export function configurationFile({ file, env }: ConfigurationSource): string {
  const { RELAY_CONFIG: named } = env;
  return resolve(file ?? (named || DEFAULT_FILE));
}

/**
 * Reads the file and lays the environment over it. Throws `relay.configuration.unreadable` when there is no file to read, and
 * `relay.configuration.invalid` with every problem on a line of its own.
 */
export async function loadConfiguration(source: ConfigurationSource): Promise<Configuration> {
  const file = configurationFile(source);
  return configurationFrom(await readText(file), file, source.env);
}

/** The same of a text that is to become the file `file`. Throws `relay.configuration.invalid`. */
export function configurationFrom(text: string, file: string, env: Environment): Configuration {
  const places = optionPlaces(configurationSchema);
  const { value, problems: syntax } = parseYaml(text);
  const overlay = overlayEnvironment(value, env, places);
  const parsed = configurationSchema.safeParse(overlay.value);
  const wrong = parsed.success || syntax.length > 0 ? [] : problemsOf(parsed.error, places, overlay.variables);
  const problems = [...syntax, ...wrong, ...overlay.problems];
  if (!parsed.success || problems.length > 0) throw invalid(file, problems);
  return withAbsolutePaths(parsed.data, dirname(file), places);
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw new Error(`it holds ${size} bytes, more than ${MAX_FILE_BYTES}`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const advice = missing
      ? `There is no configuration file ${file}. Write it ("relay config reference" lists every option), or name another with --config or RELAY_CONFIG.`
      : `The configuration file ${file} cannot be read. Check that it is a file and that this user may read it.`;
    throw new RelayError('relay.configuration.unreadable', advice, { cause });
  }
}

function parseYaml(text: string): { value: unknown; problems: string[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => {
    const { line, col } = lineCounter.linePos(pos[0]);
    return `line ${line}, column ${col}: ${message}`;
  });
  try {
    return { value: problems.length > 0 ? undefined : document.toJS(), problems };
  } catch (cause) {
    // An alias without its anchor, or too many aliases.
    return { value: undefined, problems: [cause instanceof Error ? cause.message : String(cause)] };
  }
}

function invalid(file: string, problems: readonly string[]): RelayError {
  const shown = problems.slice(0, MAX_PROBLEMS_SHOWN);
  if (shown.length < problems.length) shown.push(`and ${problems.length - shown.length} more`);
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new RelayError('relay.configuration.invalid', `${file} cannot be used, ${count}:\n${shown.map((each) => `  ${each}`).join('\n')}`);
}

function withAbsolutePaths(configuration: Configuration, folder: string, places: readonly OptionPlace[]): Configuration {
  const data = resolve(folder, configuration.data);
  const absolute = (found: unknown): unknown => resolve(folder, String(found).replace(/^<data>(?=\/|$)/, data));
  const paths = places.filter((place) => place.facts.kind.name === 'path');
  return paths.reduce<unknown>((value, place) => changeAt(value, place.path, absolute), configuration) as Configuration;
}
