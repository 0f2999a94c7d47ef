/** The gauges that mirror what other parts know, set before each scrape. Figures only: nothing here reads a payload, or waits for anybody. */
import type { CertificateEnd } from '../authority/certificate-end.ts';
import { KINDS, type Kind } from '../batch/kind.ts';
import { type Balance, EMPTY_BALANCE, unaccounted } from '../cache/balance.ts';
import type { CacheStats, WorkspaceStats } from '../cache/cache.ts';
import type { AgentState } from '../management-group/agent.ts';
import type { AgentFigures } from '../management-group/agent-figures.ts';
import type { RoadState, WorkspaceRoads } from '../workspace/road-state.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Metrics } from './metrics.ts';

export interface Reading {
  readonly stats: CacheStats;
  readonly agentsOf: (workspaceId: WorkspaceId) => Readonly<Record<AgentState, number>>;
  readonly agentFigures: ReadonlyMap<WorkspaceId, AgentFigures>;
  readonly roads: Readonly<Record<WorkspaceId, WorkspaceRoads>>;
  readonly certificates: readonly CertificateEnd[];
  /** Milliseconds. */
  readonly retryWindowMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const ENTRIES = ['recovered', 'received', 'delivered', 'cached', 'deadLettered', 'dropped'] as const;

/** Sets all of them. */
export function readGauges(metrics: Metrics, reading: Reading): void {
  readGround(metrics, reading.stats);
  // What is not there any more must not be shown.
  for (const name of ['deadLetters', 'agentLastSeen', 'certificateExpiry'] as const) metrics.clear(name);
  for (const { role, workspaceId = '', endsAt } of reading.certificates) metrics.set('certificateExpiry', { role, workspace: workspaceId }, endsAt / 1000);
  for (const stats of reading.stats.workspaces) {
    readCached(metrics, stats, reading.now);
    readUpstream(metrics, stats, reading);
    readRoads(metrics, stats.workspaceId, reading.roads[stats.workspaceId]);
    readDeadLetters(metrics, stats, reading.now);
    for (const kind of KINDS) readKind(metrics, stats, kind, reading.now);
    readAgents(metrics, stats.workspaceId, reading);
  }
}

function readGround(metrics: Metrics, { usedBytes, limitBytes, ready, ground: { disk, redis, doesRedisAnswer } }: CacheStats): void {
  metrics.set('cacheUsedBytes', {}, usedBytes);
  metrics.set('cacheLimitBytes', {}, limitBytes);
  metrics.set('ready', {}, ready.ok ? 1 : 0);
  metrics.set('diskFree', {}, disk.freeBytes);
  metrics.set('diskSize', {}, disk.sizeBytes);
  metrics.set('redisUp', {}, doesRedisAnswer ? 1 : 0);
  metrics.set('redisMemoryUsed', {}, redis.memoryUsedBytes);
  metrics.set('redisMemoryLimit', {}, redis.memoryLimitBytes);
  metrics.set('redisAofOk', {}, redis.aofOk ? 1 : 0);
  metrics.set('redisSaveOk', {}, redis.saveOk ? 1 : 0);
}

function readCached(metrics: Metrics, stats: WorkspaceStats, now: number): void {
  const { workspaceId: workspace, dueSince, lastProgressAt, paused = false, unopenable = [], lost, indexCounts } = stats;
  metrics.set('paused', { workspace }, paused ? 1 : 0);
  if (lastProgressAt !== undefined) metrics.set('lastProgress', { workspace }, lastProgressAt / 1000);
  metrics.set('oldestDueSeconds', { workspace }, secondsSince(dueSince, now));
  const groups = {
    waiting: stats.groupsWaiting - stats.groupsDelayed,
    'in-flight': stats.groupsInFlight,
    delayed: stats.groupsDelayed,
    unopenable: unopenable.reduce((sum, use) => sum + (use.groups ?? 0), 0),
  };
  for (const [state, count] of Object.entries(groups)) metrics.set('cacheGroups', { workspace, state }, Math.max(0, count));
  for (const [state, count] of Object.entries(indexCounts ?? {})) metrics.set('indexJobs', { workspace, state }, count);
  metrics.set(
    'unopenableBatches',
    { workspace },
    unopenable.reduce((sum, { batches }) => sum + batches, 0),
  );
  metrics.set('lossesUnreported', { workspace }, lost?.batches ?? 0);
}

function readUpstream(metrics: Metrics, { workspaceId: workspace, upstream }: WorkspaceStats, { now, retryWindowMs }: Reading): void {
  const { state, since, nextTryAt, heldAt = now + retryWindowMs } = upstream;
  metrics.set('upstreamUp', { workspace }, state === 'awake' ? 1 : 0);
  metrics.set('upstreamHeld', { workspace }, state === 'held' ? 1 : 0);
  metrics.set('upstreamOutage', { workspace }, secondsSince(since, now));
  metrics.set('upstreamNextTry', { workspace }, (nextTryAt ?? 0) / 1000);
  metrics.set('retryWindowRemaining', { workspace }, state === 'held' ? 0 : Math.max(0, heldAt - now) / 1000);
}

function readRoads(metrics: Metrics, workspace: WorkspaceId, roads: WorkspaceRoads | undefined): void {
  if (!roads) return;
  readRoad(metrics, workspace, 'data', roads.data);
  if (roads.signIn) readRoad(metrics, workspace, 'sign-in', roads.signIn);
}

function readRoad(metrics: Metrics, workspace: WorkspaceId, path: string, { kind, verifiedAt, refusal }: RoadState): void {
  if (verifiedAt === undefined && refusal === undefined) return;
  const isUp = (verifiedAt ?? 0) >= (refusal?.at ?? 0);
  metrics.set('pathUp', { workspace, path, kind }, isUp ? 1 : 0);
}

function readDeadLetters(metrics: Metrics, { workspaceId: workspace, deadLetters }: WorkspaceStats, now: number): void {
  const { bytes, oldestAt, byStatus } = deadLetters;
  metrics.set('deadLetterBytes', { workspace }, bytes);
  metrics.set('deadLetterOldestSeconds', { workspace }, secondsSince(oldestAt, now));
  for (const [status, letters] of Object.entries(byStatus)) metrics.set('deadLetters', { workspace, status }, letters);
}

function readKind(metrics: Metrics, { workspaceId: workspace, balance, oldestByKind }: WorkspaceStats, kind: Kind, now: number): void {
  const amounts: Balance = balance.find((one) => one.kind === kind) ?? EMPTY_BALANCE;
  metrics.set('oldestSeconds', { workspace, kind }, secondsSince(oldestByKind[kind], now));
  metrics.set('cachedBatches', { workspace, kind }, amounts.cached.batches);
  metrics.set('cachedBytes', { workspace, kind }, amounts.cached.bytes);
  for (const entry of ENTRIES) {
    metrics.set('balance', { workspace, kind, entry }, amounts[entry].batches);
    metrics.set('balanceBytes', { workspace, kind, entry }, amounts[entry].bytes);
  }
  metrics.set('unaccounted', { workspace, kind }, unaccounted(amounts));
}

function readAgents(metrics: Metrics, workspace: WorkspaceId, { agentsOf, agentFigures }: Reading): void {
  for (const [state, agents] of Object.entries(agentsOf(workspace))) metrics.set('agents', { workspace, state }, agents);
  const figures = agentFigures.get(workspace);
  metrics.set('agentsSilent', { workspace }, figures?.silent ?? 0);
  for (const [behind, agents] of Object.entries(figures?.lagging ?? {})) metrics.set('agentsLagging', { workspace, behind }, agents);
  for (const { hostName, lastSeenAt } of figures?.longestSilent ?? []) metrics.set('agentLastSeen', { workspace, agent: hostName }, lastSeenAt / 1000);
}

function secondsSince(at: number | undefined, now: number): number {
  return at === undefined ? 0 : Math.max(0, now - at) / 1000;
}
