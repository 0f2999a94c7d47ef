import { dataTypeNamed, dataTypeOfTable } from './data-types.ts';

/** The six kinds of data, in the order in which a full cache drops them: the first goes first. */
export const KINDS = ['Performance', 'Metadata', 'State', 'Configuration', 'Event', 'Alert'] as const;

export type Kind = (typeof KINDS)[number];

/** The solution of custom records, in lower case. */
const CUSTOM_LOG = 'customlog';

// The data kinds of each solution, by the sender's own name in lower case.
const KIND_OF_SOLUTION = new Map<string, Kind>([
  ['alertmanagement', 'Alert'],
  ['infrastructureinsights', 'Performance'],
  ['vminsights', 'Performance'],
  ['changetracking', 'Configuration'],
  ['updates', 'State'],
  ['antimalware', 'State'],
]);

/**
 * The kind of a data type, or of custom records named after a table. Unknown ones take their solution's kind, and are Events otherwise: kept longer
 * than figures, never before alerts.
 */
export function kindOf(dataType: string, solution: string): Kind {
  const known = dataTypeNamed(dataType) ?? (solution.toLowerCase() === CUSTOM_LOG ? dataTypeOfTable(dataType) : undefined);
  return known?.kind ?? KIND_OF_SOLUTION.get(solution.toLowerCase()) ?? 'Event';
}
