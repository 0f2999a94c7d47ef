import { METRICS } from './catalogue.ts';

/** Every metric as a Markdown table: name, type, labels, meaning. Those of the process itself (`relay_process_*`, `relay_nodejs_*`) are left out. */
export function metricTable(): string {
  const heading = ['metric', 'type', 'labels', 'meaning'];
  const rows = Object.values(METRICS).map(({ name, type, labels, help }) => [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), help]);
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
