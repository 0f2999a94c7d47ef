import { METRICS } from './catalogue.ts';

/** Every metric as a Markdown table: name, type, unit, labels, meaning. Those of the process itself (`process_*`, `nodejs_*`) are left out. */
export function metricTable(): string {
  const heading = ['metric', 'type', 'unit', 'labels', 'meaning'];
  const rows = Object.values(METRICS).map(({ name, type, unit, labels, help }) => [
    `\`${name}\``,
    type,
    unit,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
