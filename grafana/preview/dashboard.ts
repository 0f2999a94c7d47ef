/** What the preview reads of a dashboard's JSON. Grafana knows far more; what it has a default for may be missing. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description?: string;
  readonly panels: readonly (Panel & { readonly collapsed?: boolean; readonly panels?: readonly Panel[] })[];
}

export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults?: FieldSettings; readonly overrides?: readonly Override[] };
  readonly options?: PanelOptions;
  readonly transformations?: readonly { readonly id: string; readonly disabled?: boolean; readonly options?: Readonly<Record<string, unknown>> }[];
}

export interface Target {
  readonly refId?: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly format?: string;
  readonly hide?: boolean;
}

export interface Threshold {
  /** Null for the lowest. */
  readonly value?: number | null;
  readonly color: string;
}

export interface MappingResult {
  readonly text?: string;
  readonly color?: string;
}

export type Mapping =
  | { readonly type: 'value'; readonly options: Readonly<Record<string, MappingResult>> }
  | { readonly type: 'range'; readonly options: { readonly from?: number | null; readonly to?: number | null; readonly result: MappingResult } }
  | { readonly type: 'special'; readonly options: { readonly match: string; readonly result: MappingResult } }
  | { readonly type: 'regex'; readonly options: { readonly pattern: string; readonly result: MappingResult } };

/** How a field is shown, as Grafana's field options say it. */
export interface FieldSettings {
  readonly displayName?: string;
  readonly unit?: string;
  readonly decimals?: number | null;
  readonly min?: number | null;
  readonly max?: number | null;
  readonly noValue?: string;
  readonly thresholds?: { readonly mode?: string; readonly steps?: readonly Threshold[] };
  readonly mappings?: readonly Mapping[];
  readonly color?: { readonly mode?: string; readonly fixedColor?: string };
  readonly custom?: Readonly<Record<string, unknown>>;
}

export interface Override {
  readonly matcher: { readonly id: string; readonly options?: unknown };
  readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
}

export interface PanelOptions {
  readonly legend?: { readonly showLegend?: boolean; readonly displayMode?: string; readonly placement?: string; readonly calcs?: readonly string[] };
  readonly reduceOptions?: { readonly calcs?: readonly string[]; readonly values?: boolean; readonly fields?: string };
  readonly colorMode?: string;
  readonly graphMode?: string;
  readonly textMode?: string;
  readonly orientation?: string;
  readonly displayMode?: string;
  readonly content?: string;
  readonly sortBy?: readonly { readonly displayName?: string; readonly desc?: boolean }[];
}

/** A panel and its place, when all rows are open. */
export interface Placed {
  readonly panel: Panel;
  readonly at: GridPosition;
}

/** Every panel of a dashboard, top to bottom, with the rows that are shut opened and what stands below them moved down. */
export function placePanels(dashboard: Dashboard): readonly Placed[] {
  const placed: Placed[] = [];
  let moved = 0;
  for (const panel of [...dashboard.panels].sort((one, other) => one.gridPos.y - other.gridPos.y || one.gridPos.x - other.gridPos.x)) {
    const top = panel.gridPos.y + moved;
    placed.push({ panel, at: { ...panel.gridPos, y: top } });
    const inside = panel.collapsed ? (panel.panels ?? []) : [];
    if (inside.length === 0) continue;
    const first = Math.min(...inside.map(({ gridPos }) => gridPos.y));
    placed.push(...inside.map((one) => ({ panel: one, at: { ...one.gridPos, y: one.gridPos.y - first + top + 1 } })));
    moved += Math.max(...inside.map(({ gridPos }) => gridPos.y + gridPos.h)) - first;
  }
  return placed;
}
