import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, type PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { CHOSEN_PROMETHEUS } from '../datasource.ts';

/** One PromQL query, and what its series are called. */
export interface Query {
  readonly expr: string;
  /** A text, or a template such as `{{workspace}}`. */
  readonly legend?: string;
}

/** What every panel says and takes. */
export interface PanelParts {
  readonly title: string;
  /** What the figure means, in one sentence or more. */
  readonly meaning: string;
  /** What to do when it is not as it should be. */
  readonly action: string;
  /** In 24ths of the dashboard's width. */
  readonly width: number;
  /** In rows of 30 pixels and their gaps. */
  readonly height: number;
}

/** A finished panel that has no place yet. */
export type UnplacedPanel = Omit<Panel, 'id' | 'gridPos'> & { readonly size: { readonly w: number; readonly h: number } };

/** What is shown at a panel's (i). */
export function description({ meaning, action }: PanelParts): string {
  return `${meaning}\n\n**What to do:** ${action}`;
}

/** The size apart from the panel, for whoever places it. */
export function unplaced({ width, height }: PanelParts, panel: Panel): UnplacedPanel {
  const { id: _, gridPos: __, ...rest } = panel;
  return { ...rest, size: { w: width, h: height } };
}

/** Queries over the time that is shown. */
export function rangeTargets(queries: readonly Query[]): DataqueryBuilder[] {
  return queries.map((query, index) => target(query, index).range());
}

/** Queries for the end of the time that is shown. */
export function instantTargets(queries: readonly Query[], format?: PromQueryFormat): DataqueryBuilder[] {
  return queries.map((query, index) => {
    const built = target(query, index).instant();
    return format === undefined ? built : built.format(format);
  });
}

function target({ expr, legend = '' }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(CHOSEN_PROMETHEUS)
    .refId(String.fromCharCode(65 + index))
    .expr(expr)
    .legendFormat(legend);
}
