import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type CounterName, type GaugeName, type HistogramName, type LabelsOf, METRICS } from './catalogue.ts';
import type { MetricDeclaration } from './declaration.ts';

/** Figures of Node and the process that are left out: gauges whose names end in `_total`, which Prometheus keeps for counters. */
const LEFT_OUT = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'];

/** Records figures under the catalogue's names. */
export interface Metrics {
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Forgets all figures of a gauge, before they are set anew: what is not there any more must not be shown. */
  clear(name: GaugeName): void;
  /** Called before each scrape, to set the gauges that are read from elsewhere. It must not wait for anything. */
  beforeScrape(read: () => void): void;
  /** The text exposition format. */
  expose(): Promise<string>;
}

export interface MetricsSettings {
  /** What people call a workspace: it stands in the label `workspace` in place of the id. */
  readonly workspaceName?: (id: string) => string;
}

/** A set of metrics of its own: two relays in one process do not share figures. */
export function createMetrics({ workspaceName = (id) => id }: MetricsSettings = {}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const readers: (() => void)[] = [];
  for (const [key, declared] of Object.entries(METRICS) as [string, MetricDeclaration][]) {
    const settings = { name: declared.name, help: declared.help, labelNames: [...declared.labels], registers: [registry] };
    if (declared.type === 'counter') counters.set(key, new Counter(settings));
    else if (declared.type === 'gauge') gauges.set(key, new Gauge(settings));
    else histograms.set(key, new Histogram({ ...settings, buckets: [...(declared.buckets ?? [])] }));
  }
  const named = (labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
    const { workspace } = labels;
    return workspace === undefined || workspace === '' ? labels : { ...labels, workspace: workspaceName(workspace) };
  };
  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc(named(labels), by),
    set: (name, labels, value) => gauges.get(name)?.set(named(labels), value),
    observe: (name, labels, value) => histograms.get(name)?.observe(named(labels), value),
    clear: (name) => gauges.get(name)?.reset(),
    beforeScrape: (read) => void readers.push(read),
    expose: () => {
      for (const read of readers) read();
      return registry.metrics();
    },
  };
}
