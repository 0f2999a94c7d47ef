import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DatasourceVariableBuilder,
  type GridPos,
  type Panel,
  type QueryVariableBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { annotations } from './annotations.ts';
import { DASHBOARDS, type DashboardUid, linksFrom } from './links.ts';
import type { UnplacedPanel } from './panels/panel.ts';
import { commonVariables } from './variables.ts';

/** The width of a dashboard: Grafana's grid. */
const COLUMNS = 24;

export interface DashboardParts {
  readonly uid: DashboardUid;
  readonly description: string;
  /** Beside Prometheus, relay and workspace. */
  readonly variables?: readonly (DatasourceVariableBuilder | QueryVariableBuilder)[];
  /** In reading order: they are placed from left to right, row by row. */
  readonly panels: readonly UnplacedPanel[];
}

/** A whole dashboard: what all of them share, around its own panels. */
export function dashboard({ uid, description, variables = [], panels }: DashboardParts): Dashboard {
  const title = DASHBOARDS.find((one) => one.uid === uid)?.title ?? uid;
  const builder = new DashboardBuilder(`Relay: ${title}`)
    .uid(uid)
    .description(description)
    .tags(['relay'])
    .editable()
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([...commonVariables(), ...variables])
    .annotations([...annotations()])
    .links([...linksFrom(uid)]);
  return { ...builder.build(), panels: place(panels) };
}

function place(panels: readonly UnplacedPanel[]): Panel[] {
  let at = { x: 0, y: 0, tallest: 0 };
  return panels.map(({ size, ...panel }, index) => {
    if (at.x + size.w > COLUMNS) at = { x: 0, y: at.y + at.tallest, tallest: 0 };
    const gridPos: GridPos = { h: size.h, w: size.w, x: at.x, y: at.y };
    at = { ...at, x: at.x + size.w, tallest: Math.max(at.tallest, size.h) };
    return { id: index + 1, gridPos, ...panel };
  });
}
