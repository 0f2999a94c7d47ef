/** What a figure counts or measures. Times are seconds, sizes bytes, as Prometheus wants them. */
export type MetricUnit =
  | 'seconds'
  | 'bytes'
  | 'ratio'
  | 'batches'
  | 'records'
  | 'groups'
  | 'letters'
  | 'requests'
  | 'connections'
  | 'agents'
  | 'relays'
  | 'keys'
  | 'lines'
  | 'entries'
  | 'incidents'
  | 'times'
  | 'yes or no';

/** One metric: everything that there is to say about it, said once. */
export interface MetricDeclaration {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** By Prometheus's rules: base units, `_total` for counters. */
  readonly name: string;
  readonly unit: MetricUnit;
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
}

/** The metrics of one side of the relay, by the names that the code calls them. */
export type Declarations = Readonly<Record<string, MetricDeclaration>>;
