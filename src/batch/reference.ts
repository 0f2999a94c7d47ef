import { DATA_TYPES } from './data-types.ts';

/** Every data type that is known, as a Markdown table: its kind, and the table behind it. */
export function dataTypeTable(): string {
  const heading = ['data type', 'kind', 'table, also as Log-Type'];
  const rows = DATA_TYPES.map(({ name, kind, table }) => [`\`${name}\``, kind, table === undefined ? '' : `\`${table}\``]);
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
