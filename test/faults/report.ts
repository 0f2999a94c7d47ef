import { tableOf } from '../../src/table.ts';
import type { Figures } from './fault.ts';

/** One line of the report. */
export interface Line {
  readonly name: string;
  readonly seconds: number;
  readonly figures?: Figures;
  /** Why it failed. */
  readonly problem?: string;
}

/** The table at the end: each fault, how often, and what became of the data. */
export function reportOf(lines: readonly Line[]): string {
  const figure =
    (name: keyof Figures) =>
    ({ figures }: Line): string | number =>
      figures?.[name] ?? '?';
  const table = tableOf(lines, [
    ['fault', ({ name }) => name],
    ['times', figure('injected')],
    ['acknowledged', figure('acknowledged')],
    ['delivered', figure('delivered')],
    ['duplicated', figure('duplicated')],
    ['dropped', figure('dropped')],
    ['dead letters', figure('deadLettered')],
    ['lost', figure('lost')],
    ['seconds', ({ seconds }) => seconds.toFixed(1)],
    ['', ({ problem }) => (problem === undefined ? 'ok' : 'FAILED')],
  ]);
  const problems = lines.flatMap(({ name, problem }) => (problem === undefined ? [] : [`\n${name}:\n${problem}`]));
  return [table, ...problems].join('\n');
}
