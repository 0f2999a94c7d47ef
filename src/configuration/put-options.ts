import { isMap, parseDocument } from 'yaml';
import { RelayError } from '../errors.ts';

/** A value for one option; undefined takes the option out of the file. */
export interface OptionChange {
  /** Keys, and numbers for the items of lists. */
  readonly at: readonly (string | number)[];
  readonly value: string | undefined;
}

/** Puts values into the text of a configuration file. Everything else stays as it is, comments too. Throws `relay.configuration.invalid` for a text that is no configuration. */
export function putOptions(text: string, changes: readonly OptionChange[]): string {
  if (changes.length === 0) return text;
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents))
    throw new RelayError('relay.configuration.invalid', 'The configuration file is not YAML with options. See what is wrong with: relay config check');
  for (const { at, value } of changes) {
    if (value !== undefined) document.setIn(at, value);
    else if (document.hasIn(at)) document.deleteIn(at);
  }
  return document.toString({ lineWidth: 0 });
}
