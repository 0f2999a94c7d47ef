import { KINDS } from '../batch/kind.ts';
import { INDEX_STATES } from '../cache/index-states.ts';
import { LOSS_REASONS } from '../cache/loss.ts';
import { LAG_STEPS } from '../management-group/agent-figures.ts';
import { ROAD_REFUSAL_REASONS } from '../workspace/road-state.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Metrics } from './metrics.ts';

export interface WatchedWorkspace {
  readonly id: WorkspaceId;
  readonly protocol: string;
}

/** What is known beforehand of the labels that counters will have. */
export interface KnownLabels {
  readonly workspaces: readonly WatchedWorkspace[];
  /** Codes that a request may be refused with. */
  readonly refusals: readonly string[];
  /** What may become of a connection to the tunnel, beside being opened. */
  readonly tunnelRefusals: readonly string[];
  /** What the counters of syslog senders tell apart. */
  readonly syslog: { readonly formats: readonly string[]; readonly truncations: readonly string[]; readonly ends: readonly string[] };
}

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'];
/** Those among the outcomes that somebody may want to be told of. */
const ENROLMENTS = ['accepted', 'pending', 'renewed', 'bad-credentials', 'too-many-attempts', 'InvalidWorkspaceKey'];

const SYSLOG_RETRIES = ['relay.cache.full', 'relay.cache.unavailable'];

/** Begins the counters whose labels are known at 0: Prometheus does not see the first step of a series that begins with it, so that a first loss would be missed. */
export function startAtZero(metrics: Metrics, { workspaces, refusals, tunnelRefusals, syslog }: KnownLabels): void {
  metrics.count('requests', { service: 'data', code: '200' }, 0);
  for (const reason of refusals) metrics.count('refused', { reason }, 0);
  for (const level of LOG_LEVELS) metrics.count('logLines', { level }, 0);
  for (const outcome of ENROLMENTS) metrics.count('enrolments', { outcome }, 0);
  for (const result of ['done', 'refused', 'failed']) metrics.count('auditEntries', { result }, 0);
  for (const outcome of ['opened', ...tunnelRefusals]) metrics.count('tunnelConnections', { outcome }, 0);
  for (const direction of ['up', 'down']) metrics.count('tunnelBytes', { direction }, 0);
  for (const outcome of ['answered', 'away']) metrics.count('groupForwarded', { outcome }, 0);
  for (const format of syslog.formats) metrics.count('syslogMessages', { format }, 0);
  for (const reason of syslog.truncations) metrics.count('syslogTruncated', { reason }, 0);
  for (const reason of syslog.ends) metrics.count('syslogEnded', { reason }, 0);
  for (const reason of SYSLOG_RETRIES) metrics.count('syslogRetries', { reason }, 0);
  metrics.count('syslogLost', {}, 0);
  for (const workspace of workspaces) startWorkspace(metrics, workspace);
}

function startWorkspace(metrics: Metrics, { id: workspace, protocol }: WatchedWorkspace): void {
  for (const name of ['repeats', 'uncountedBatches', 'stalled', 'watchdogRestarts', 'upstreamParts'] as const) metrics.count(name, { workspace }, 0);
  for (const outcome of ['delivered', 'retry', 'refused', 'split']) metrics.count('upstreamAttempts', { workspace, outcome }, 0);
  for (const code of ['200', 'none']) metrics.count('upstreamResponses', { workspace, code }, 0);
  for (const state of INDEX_STATES) metrics.set('indexJobs', { workspace, state }, 0);
  for (const behind of Object.keys(LAG_STEPS)) metrics.set('agentsLagging', { workspace, behind }, 0);
  for (const kind of KINDS) startKind(metrics, workspace, kind);
  for (const path of protocol === 'logs-ingestion' ? ['data', 'sign-in'] : ['data']) {
    for (const reason of ROAD_REFUSAL_REASONS) metrics.count('pathRefused', { workspace, path, reason }, 0);
  }
  if (protocol !== 'logs-ingestion') return;
  metrics.count('deliveredRecords', { workspace }, 0);
  for (const outcome of ['delivered', 'retry', 'refused']) metrics.count('ingestionRequests', { workspace, outcome }, 0);
}

function startKind(metrics: Metrics, workspace: WorkspaceId, kind: string): void {
  for (const name of ['receivedBatches', 'receivedBytes', 'receivedRecords', 'deliveredBatches', 'deliveredBytes'] as const)
    metrics.count(name, { workspace, kind }, 0);
  for (const reason of LOSS_REASONS) {
    for (const name of ['droppedBatches', 'droppedBytes', 'droppedRecords'] as const) metrics.count(name, { workspace, kind, reason }, 0);
  }
}
