import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { agents } from './agents.ts';
import { appliance } from './appliance.ts';
import { cacheAndDelivery } from './cache-and-delivery.ts';
import { overview } from './overview.ts';
import type { PlainDashboard, SchemaChecked } from './plain.ts';
import { upstreamAndPaths } from './upstream-and-paths.ts';

/** All dashboards by the name of their file, without the ending. */
export function allDashboards(): Readonly<Record<string, PlainDashboard>> {
  return {
    overview: plain(overview()) satisfies SchemaChecked,
    'cache-and-delivery': plain(cacheAndDelivery()) satisfies SchemaChecked,
    agents: plain(agents()) satisfies SchemaChecked,
    'upstream-and-paths': plain(upstreamAndPaths()) satisfies SchemaChecked,
    appliance: plain(appliance()) satisfies SchemaChecked,
  };
}

/** The text of a dashboard's file: keys stand in the order of their names, so that a change shows only itself. */
export function dashboardText(dashboard: PlainDashboard): string {
  return `${JSON.stringify(sorted(dashboard), undefined, 2)}\n`;
}

function plain(dashboard: Dashboard): PlainDashboard {
  return JSON.parse(JSON.stringify(dashboard)) as PlainDashboard;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
