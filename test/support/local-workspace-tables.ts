/** The README's tables of what a local workspace permits and tells, made from the code that decides it. */
import { KIND_FACTS } from '../../src/incidents/kinds.ts';
import { ACTIONS, LASTING, mayDo, ROLES } from '../../src/local-workspace/access/rights.ts';

/** Roles × actions. What support may never do, whatever was approved, says so. */
export function rightsTable(): string {
  const rows = ACTIONS.map((action) => [`\`${action}\``, ...ROLES.map((role) => (mayDo(role, action) ? 'yes' : '')), supportMay(action)]);
  return inMarkdown([['action', ...ROLES.map((role) => `\`${role}\``), 'support'], ...rows]);
}

function supportMay(action: (typeof ACTIONS)[number]): string {
  if (mayDo('support', action)) return 'yes';
  return LASTING.includes(action) ? 'never' : 'as approved';
}

/** The kinds of incidents, as the store and the notices know them. */
export function incidentKindTable(): string {
  const rows = Object.entries(KIND_FACTS).map(([kind, { title, severity, threshold }]) => [
    `\`${kind}\``,
    title,
    severity,
    threshold === undefined ? '' : `\`incidents.thresholds.${threshold}\``,
  ]);
  return inMarkdown([['kind', 'what it is', 'severity', 'in number'], ...rows]);
}

function inMarkdown([heading = [], ...rows]: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
