/** Every metric, declared once: name, type, unit in the name, labels, meaning. The README's table is made from this. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricDeclaration {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
}

const ACKNOWLEDGEMENT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type CounterName =
  | 'receivedBatches'
  | 'receivedBytes'
  | 'refused'
  | 'quarantined'
  | 'repeats'
  | 'directAtRelay'
  | 'connectionsFailed'
  | 'enrolments'
  | 'cacheDamagedBytes'
  | 'watchdogRestarts'
  | 'droppedBatches'
  | 'droppedBytes'
  | 'upstreamRequests'
  | 'upstreamParts'
  | 'ingestionRequests'
  | 'pathRefused'
  | 'deadLetterRecords'
  | 'auditEntries'
  | 'auditFailures'
  | 'tunnelConnections'
  | 'tunnelsClosed'
  | 'tunnelBytes';
type GaugeName =
  | 'connections'
  | 'tunnelsOpen'
  | 'agents'
  | 'cachedBatches'
  | 'cachedBytes'
  | 'cacheUsedBytes'
  | 'cacheLimitBytes'
  | 'oldestSeconds'
  | 'unopenableBatches'
  | 'balance'
  | 'upstreamAwake'
  | 'upstreamHeld'
  | 'lastProgress'
  | 'pathVerified'
  | 'signInEnds'
  | 'signInFailing'
  | 'paused'
  | 'certificateExpiry';
type HistogramName = 'acknowledgement' | 'upstreamSeconds' | 'ingestionFill';
type Labels = Readonly<Record<string, string>>;

export const METRICS: Readonly<Record<CounterName | GaugeName | HistogramName, MetricDeclaration>> = {
  receivedBatches: {
    type: 'counter',
    name: 'relay_received_batches_total',
    labels: ['workspace', 'kind'],
    help: 'Batches acknowledged to agents; a copy counts for the workspace that gets it.',
  },
  receivedBytes: {
    type: 'counter',
    name: 'relay_received_bytes_total',
    labels: ['workspace', 'kind'],
    help: 'Bytes of acknowledged batches, as they came over the wire.',
  },
  refused: { type: 'counter', name: 'relay_intake_refused_total', labels: ['reason'], help: 'Requests refused, by the code in the answer.' },
  quarantined: {
    type: 'counter',
    name: 'relay_intake_quarantined_total',
    labels: ['reason'],
    help: 'Batches taken with 200 but put aside, because nobody can make sense of them.',
  },
  repeats: {
    type: 'counter',
    name: 'relay_intake_repeats_total',
    labels: ['workspace'],
    help: 'Batches that agents sent again although they had been acknowledged: answered with 200, not kept twice.',
  },
  directAtRelay: {
    type: 'counter',
    name: 'relay_direct_at_relay_batches_total',
    labels: ['workspace', 'solution'],
    help: 'Batches marked direct that came to the relay and were sent on by it: from senders that know one way only, or know their routes not yet.',
  },
  connectionsFailed: {
    type: 'counter',
    name: 'relay_intake_connections_failed_total',
    labels: ['reason'],
    help: 'Connections that ended before a request: no TLS, an old TLS version, a handshake that took too long.',
  },
  connections: { type: 'gauge', name: 'relay_intake_connections', labels: [], help: 'Open connections of agents.' },
  acknowledgement: {
    type: 'histogram',
    name: 'relay_intake_acknowledgement_seconds',
    labels: [],
    help: 'From the whole body to the acknowledgement: sealing, disk and index.',
    buckets: ACKNOWLEDGEMENT_BUCKETS,
  },
  enrolments: {
    type: 'counter',
    name: 'relay_enrolments_total',
    labels: ['outcome'],
    help: 'Requests to enrol, by outcome: accepted, pending, renewed, or the reason of the refusal.',
  },
  agents: { type: 'gauge', name: 'relay_agents', labels: ['workspace', 'state'], help: 'Agents by state.' },
  cachedBatches: { type: 'gauge', name: 'relay_cache_batches', labels: ['workspace', 'kind'], help: 'Batches that wait for upstream.' },
  cachedBytes: { type: 'gauge', name: 'relay_cache_bytes', labels: ['workspace', 'kind'], help: 'Bytes of the batches that wait for upstream.' },
  cacheUsedBytes: { type: 'gauge', name: 'relay_cache_used_bytes', labels: [], help: 'Bytes that count against cache.limit: stored groups and dead letters.' },
  cacheLimitBytes: { type: 'gauge', name: 'relay_cache_limit_bytes', labels: [], help: 'cache.limit, or what the disk had room for at the start.' },
  droppedBatches: {
    type: 'counter',
    name: 'relay_dropped_batches_total',
    labels: ['workspace', 'kind', 'reason'],
    help: 'Batches given up, by the reason in the loss ledger: cache-full, too-old, purged, unreadable, dead-letters-full, discarded, no-room-for-copy.',
  },
  droppedBytes: {
    type: 'counter',
    name: 'relay_dropped_bytes_total',
    labels: ['workspace', 'kind', 'reason'],
    help: 'Bytes of the batches given up, as they came over the wire.',
  },
  cacheDamagedBytes: {
    type: 'counter',
    name: 'relay_cache_damaged_bytes_total',
    labels: [],
    help: 'Bytes of segments that could not be read at the start and were set aside.',
  },
  unopenableBatches: {
    type: 'gauge',
    name: 'relay_cache_unopenable_batches',
    labels: ['workspace'],
    help: 'Batches that wait but cannot be opened, because the key that sealed them is not in the key ring. Restore it.',
  },
  oldestSeconds: {
    type: 'gauge',
    name: 'relay_cache_oldest_batch_age_seconds',
    labels: ['workspace'],
    help: 'Age of the oldest batch that waits; 0 when none does.',
  },
  balance: {
    type: 'gauge',
    name: 'relay_balance_batches',
    labels: ['workspace', 'kind', 'entry'],
    help: 'Where batches went since the start: recovered + received = delivered + cached + deadLettered + dropped.',
  },
  upstreamAwake: { type: 'gauge', name: 'relay_upstream_awake', labels: ['workspace'], help: '1 while the workspace answers, 0 while its queue rests.' },
  upstreamHeld: {
    type: 'gauge',
    name: 'relay_upstream_held',
    labels: ['workspace'],
    help: '1 while the workspace has been out of reach for longer than retry.window: its data is held, and senders with a queue of their own are asked to wait.',
  },
  paused: { type: 'gauge', name: 'relay_cache_paused', labels: ['workspace'], help: '1 while an operator lets nothing be sent to the workspace.' },
  lastProgress: {
    type: 'gauge',
    name: 'relay_consumer_last_progress_timestamp_seconds',
    labels: ['workspace'],
    help: 'When the consumer last brought something to an end, in seconds since 1970. While the workspace answers that is a minute ago at most, with or without data.',
  },
  watchdogRestarts: {
    type: 'counter',
    name: 'relay_cache_watchdog_restarts_total',
    labels: ['workspace'],
    help: 'How often the watchdog made the connection to Redis anew because nothing moved.',
  },
  upstreamRequests: {
    type: 'counter',
    name: 'relay_upstream_requests_total',
    labels: ['workspace', 'outcome'],
    help: 'Batches offered upstream, by what became of them: delivered, retry, refused, or split because a part of it was refused.',
  },
  upstreamParts: {
    type: 'counter',
    name: 'relay_upstream_parts_total',
    labels: ['workspace'],
    help: 'Parts of refused batches offered upstream, to find the records that are refused.',
  },
  signInEnds: {
    type: 'gauge',
    name: 'relay_upstream_sign_in_expiry_timestamp_seconds',
    labels: ['workspace', 'of'],
    help: 'When what the relay signs in with ends, in seconds since 1970. of: token, or credential (the certificate, or the secret by ingestion.signIn.secretEndsAt).',
  },
  signInFailing: {
    type: 'gauge',
    name: 'relay_upstream_sign_in_failing',
    labels: ['workspace'],
    help: '1 while the last try to sign in gave no token. Data goes on as long as the token at hand lasts.',
  },
  pathVerified: {
    type: 'gauge',
    name: 'relay_upstream_path_verified_timestamp_seconds',
    labels: ['workspace', 'path'],
    help: 'When a connection last passed every check of its network path, in seconds since 1970. path: data or sign-in.',
  },
  pathRefused: {
    type: 'counter',
    name: 'relay_upstream_path_refused_total',
    labels: ['workspace', 'path', 'reason'],
    help: 'Connections that were not made because they would have left by another road: not-private, not-a-peer, no-source, other-route, other-source, other-peer, or what the proxy said: proxy-credentials, proxy-refused, proxy-unreachable.',
  },
  ingestionRequests: {
    type: 'counter',
    name: 'relay_upstream_ingestion_requests_total',
    labels: ['workspace', 'outcome'],
    help: 'Requests to the Logs Ingestion API, by what became of them: delivered, retry, refused.',
  },
  ingestionFill: {
    type: 'histogram',
    name: 'relay_upstream_ingestion_fill_ratio',
    labels: ['workspace'],
    help: 'How full those requests were, as a part of the largest size there is (1 MiB).',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.85, 0.95, 1],
  },
  deadLetterRecords: {
    type: 'counter',
    name: 'relay_dead_letter_records_total',
    labels: ['workspace', 'status'],
    help: "Records that became dead letters, by the workspace's answer. A batch that cannot be opened counts as one.",
  },
  auditEntries: {
    type: 'counter',
    name: 'relay_audit_entries_total',
    labels: ['result'],
    help: 'Entries of the audit log, by what came of the action: done, refused, failed.',
  },
  auditFailures: {
    type: 'counter',
    name: 'relay_audit_failures_total',
    labels: [],
    help: 'Entries of the audit log that could not be written. The actions took place: look at the disk.',
  },
  upstreamSeconds: {
    type: 'histogram',
    name: 'relay_upstream_request_seconds',
    labels: [],
    help: 'How long upstream took to answer.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
  },
  tunnelConnections: {
    type: 'counter',
    name: 'relay_tunnel_connections_total',
    labels: ['outcome'],
    help: 'Connections to the tunnel, by outcome: opened, or the reason of the refusal.',
  },
  tunnelsOpen: { type: 'gauge', name: 'relay_tunnel_open', labels: [], help: 'Tunnels that stand at this moment.' },
  tunnelsClosed: {
    type: 'counter',
    name: 'relay_tunnel_closed_total',
    labels: ['reason'],
    help: 'Tunnels that ended: finished, broken, idle, too-long, client (it may no longer use the tunnel), stopped.',
  },
  tunnelBytes: {
    type: 'counter',
    name: 'relay_tunnel_bytes_total',
    labels: ['direction'],
    help: 'Bytes through tunnels, up (to the host) and down (from it).',
  },
  certificateExpiry: {
    type: 'gauge',
    name: 'relay_certificate_expiry_timestamp_seconds',
    labels: ['role'],
    help: 'When a certificate of ours ends, in seconds since 1970.',
  },
};

/** Records figures under the catalogue's names. */
export interface Metrics {
  count(name: CounterName, labels: Labels, by?: number): void;
  set(name: GaugeName, labels: Labels, value: number): void;
  observe(name: HistogramName, labels: Labels, value: number): void;
  /** Called before each scrape, to set the gauges that are read from elsewhere. */
  beforeScrape(read: () => void): void;
  /** The text exposition format. */
  expose(): Promise<string>;
}

/** A set of metrics of its own: two relays in one process do not share figures. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'relay_' });
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
  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    beforeScrape: (read) => void readers.push(read),
    expose: () => {
      for (const read of readers) read();
      return registry.metrics();
    },
  };
}
