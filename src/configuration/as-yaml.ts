import { stringify } from 'yaml';
import { asWritten } from './reference.ts';
import type { Configuration } from './schema.ts';

/** A configuration as a file, with every default: it loads again to the same. Of secrets it holds the files' names only. */
export function asYaml(configuration: Configuration): string {
  return stringify(asWritten(configuration), { lineWidth: 0 });
}
