import { type AlertRule, readAlertRules } from './alert-rules.ts';

/** Every alert as a Markdown table: alert, severity, when it fires, what it means. Its names lead to the runbook, as seen from the README. */
export function alertTable(rules: readonly AlertRule[] = readAlertRules()): string {
  const heading = ['alert', 'severity', 'fires when', 'meaning'];
  const rows = rules.map((rule) => [`[${rule.alert}](${rule.annotations.runbook})`, rule.labels.severity, condition(rule), meaning(rule)]);
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');
}

function condition({ expr, for: duration }: AlertRule): string {
  const code = `\`${expr.replace(/\s+/g, ' ').trim()}\``;
  return duration === undefined ? code : `${code} for ${duration}`;
}

// The summary with the names of labels in place of their values. That it is about one relay goes without saying.
function meaning({ annotations: { summary } }: AlertRule): string {
  return summary
    .replace(/^\{\{ \$labels\.instance \}\}: /, '')
    .replace(/\{\{ with \$labels\.(\w+) \}\}(.*?)\{\{ \. \}\}(.*?)\{\{ end \}\}/g, '$2‹$1›$3')
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, '‹$1›')
    .replace(/\{\{ \$value \| humanizePercentage \}\}/g, '… %')
    .replace(/\{\{ \$value[^}]*\}\}/g, '…');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
