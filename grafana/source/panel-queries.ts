/** Every query of a dashboard's JSON, ready for a Prometheus: for tests, and for drawing without Grafana. */

/** What the functions here read of a dashboard; more may be there. */
export interface QueriedDashboard {
  readonly panels?: readonly QueriedPanel[];
  readonly templating?: { readonly list?: readonly QueriedVariable[] };
  readonly annotations?: { readonly list?: readonly { readonly name: string; readonly expr?: string }[] };
}

interface QueriedPanel {
  readonly id?: number;
  readonly title?: string;
  readonly type: string;
  readonly targets?: readonly object[];
  /** Of a row that is folded. */
  readonly panels?: readonly QueriedPanel[];
}

interface QueriedVariable {
  readonly name: string;
  readonly type?: string;
  readonly query?: string | object;
  readonly allValue?: string;
}

interface QueriedTarget {
  readonly refId?: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly format?: string;
}

/** Values of variables by name, without the `$`: `relay`, `__rate_interval` … What is missing is all, or the default below. */
export type VariableValues = Readonly<Record<string, string>>;

export interface PanelQuery {
  readonly panelId: number;
  readonly panelTitle: string;
  readonly panelType: string;
  readonly refId: string;
  readonly expr: string;
  /** A text, or a template such as `{{workspace}}`; empty: the labels as they are. */
  readonly legendFormat: string;
  /** instant: for one moment; range: over the time that is shown. */
  readonly kind: 'instant' | 'range';
  readonly format: 'time_series' | 'table' | 'heatmap';
}

export interface VariableQuery {
  readonly name: string;
  /** With Grafana's own function: `label_values(metric{…}, label)`. */
  readonly query: string;
  /** The series whose label it lists. */
  readonly selector: string;
  readonly label: string;
}

export interface AnnotationQuery {
  readonly name: string;
  readonly expr: string;
}

/** What Grafana would put in for the time that is shown: six hours, scraped every 15 seconds. */
const DEFAULTS: VariableValues = {
  __rate_interval: '1m',
  __interval: '15s',
  __interval_ms: '15000',
  __range: '6h',
  __range_s: '21600',
  __range_ms: '21600000',
};

/** All queries of all panels, in the panels' order. Throws when a variable has no value. */
export function panelQueries(dashboard: QueriedDashboard, values: VariableValues = {}): readonly PanelQuery[] {
  const known = valuesOf(dashboard, values);
  return allPanels(dashboard.panels ?? []).flatMap((panel) =>
    (panel.targets ?? []).map((target: QueriedTarget) => ({
      panelId: panel.id ?? 0,
      panelTitle: panel.title ?? '',
      panelType: panel.type,
      refId: target.refId ?? 'A',
      expr: withValues(target.expr ?? '', known),
      legendFormat: target.legendFormat ?? '',
      kind: target.instant === true ? ('instant' as const) : ('range' as const),
      format: formatOf(target.format),
    })),
  );
}

/** The queries that fill the choices at the head of the dashboard. */
export function variableQueries(dashboard: QueriedDashboard, values: VariableValues = {}): readonly VariableQuery[] {
  const known = valuesOf(dashboard, values);
  return (dashboard.templating?.list ?? []).flatMap(({ name, type, query }) => {
    if (type !== 'query') return [];
    const text = withValues(typeof query === 'string' ? query : String((query as { query?: string } | undefined)?.query ?? ''), known);
    const [, selector = '', label = ''] = /^label_values\((.+), *(\w+)\)$/s.exec(text) ?? [];
    return [{ name, query: text, selector, label }];
  });
}

/** The queries whose times are marked on all graphs; those that Grafana answers itself are left out. */
export function annotationQueries(dashboard: QueriedDashboard, values: VariableValues = {}): readonly AnnotationQuery[] {
  const known = valuesOf(dashboard, values);
  return (dashboard.annotations?.list ?? []).flatMap(({ name, expr }) => (expr === undefined ? [] : [{ name, expr: withValues(expr, known) }]));
}

/** A query in which `$name`, `${name}`, `${name:format}` and `[[name]]` are replaced. Throws when one of them has no value. */
export function withValues(text: string, values: VariableValues): string {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]|\$(\w+)/g, (found, braced?: string, bracketed?: string, bare?: string) => {
    const value = values[braced ?? bracketed ?? bare ?? ''];
    if (value === undefined) throw new Error(`The query “${text}” has the variable ${found}, which has no value. Give it one, or declare it on the dashboard.`);
    return value;
  });
}

function valuesOf(dashboard: QueriedDashboard, values: VariableValues): VariableValues {
  const all = (dashboard.templating?.list ?? []).map(({ name, allValue = '.*' }) => [name, allValue] as const);
  return { ...DEFAULTS, ...Object.fromEntries(all), ...values };
}

function allPanels(panels: readonly QueriedPanel[]): readonly QueriedPanel[] {
  return panels.flatMap((panel) => [panel, ...allPanels(panel.panels ?? [])]);
}

function formatOf(format: string | undefined): PanelQuery['format'] {
  return format === 'table' || format === 'heatmap' ? format : 'time_series';
}
