import { RelayError } from '../errors.ts';
import { changeAt, optionPlaces } from './option-places.ts';
import { type Configuration, configurationSchema } from './schema.ts';

/** What there is to know of an option. */
export interface OptionRow {
  /** `cache.redis.port`; `[]` stands for each item of a list. */
  readonly path: string;
  readonly type: string;
  /** As it reads in a file, or in words; empty when the option must be given. */
  readonly default: string;
  /** The values allowed; empty when the type says it all. */
  readonly allowed: string;
  /** Empty for options inside a list. */
  readonly environment: string;
  readonly meaning: string;
}

/** Every option, in the order of the file. */
export function optionReference(): readonly OptionRow[] {
  return optionPlaces(configurationSchema).map(({ path, facts, variable }) => ({
    path,
    type: facts.kind.name,
    default: facts.default,
    allowed: facts.kind.range,
    environment: variable ?? '',
    meaning: facts.meaning,
  }));
}

/** The options as a Markdown table. */
export function referenceTable(): string {
  const heading = ['option', 'type', 'default', 'allowed', 'environment', 'meaning'];
  const rows = optionReference().map((row) => [
    code(row.path),
    row.type,
    row.default === '' ? '**required**' : row.default,
    row.allowed,
    code(row.environment),
    row.meaning,
  ]);
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');
}

/** A configuration as a file would hold it, durations and sizes as text: it loads again to the same. */
export function asWritten(configuration: Configuration): unknown {
  return optionPlaces(configurationSchema).reduce<unknown>((value, { path, facts }) => changeAt(value, path, facts.kind.write), configuration);
}

/**
 * Puts `table` between `<!-- marker:begin -->` and `<!-- marker:end -->` in a Markdown text, in place of what stood there. Throws
 * `relay.reference.no-markers` when the text has not exactly one of each, in this order.
 */
export function writeBetweenMarkers(text: string, marker: string, table: string): string {
  const [begin, end] = [`<!-- ${marker}:begin -->`, `<!-- ${marker}:end -->`];
  const [before, between, ...tooMany] = text.split(begin);
  const [, after, ...tooManyEnds] = between?.split(end) ?? [];
  if (before === undefined || after === undefined || before.includes(end) || tooMany.length + tooManyEnds.length > 0) {
    throw new RelayError('relay.reference.no-markers', `The text needs one line "${begin}" and, below it, one line "${end}": the table goes between them.`);
  }
  return `${before}${begin}\n\n${table}\n\n${end}${after}`;
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

// In a cell a bar would end it, and <domain> would be taken for a tag.
function cell(text: string): string {
  return text.startsWith('`') ? text : text.replaceAll('|', '\\|').replaceAll('*.', '\\*.').replaceAll('<', '&lt;');
}
