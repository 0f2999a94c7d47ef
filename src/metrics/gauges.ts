import type { CacheStats } from '../cache/cache.ts';
import type { Agent, AgentState } from '../management-group/agent.ts';
import type { Metrics } from './catalogue.ts';

export interface Reading {
  readonly stats: CacheStats;
  readonly agentsOf: (workspaceId: Agent['workspaceId']) => Readonly<Record<AgentState, number>>;
  /** Milliseconds since 1970, both. */
  readonly certificateEndsAt: number;
  readonly now: number;
}

const ENTRIES = ['recovered', 'received', 'delivered', 'cached', 'deadLettered', 'dropped'] as const;

/** Sets the gauges that mirror what other parts know. Reads figures only, never a payload. */
export function readGauges(metrics: Metrics, { stats, agentsOf, certificateEndsAt, now }: Reading): void {
  metrics.set('cacheUsedBytes', {}, stats.usedBytes);
  metrics.set('cacheLimitBytes', {}, stats.limitBytes);
  metrics.set('certificateExpiry', { role: 'server' }, certificateEndsAt / 1000);
  for (const { workspaceId: workspace, upstream, oldestAt, lastProgressAt, paused = false, unopenable = [], balance } of stats.workspaces) {
    metrics.set('upstreamHeld', { workspace }, upstream.state === 'held' ? 1 : 0);
    metrics.set('paused', { workspace }, paused ? 1 : 0);
    if (lastProgressAt !== undefined) metrics.set('lastProgress', { workspace }, lastProgressAt / 1000);
    metrics.set('upstreamAwake', { workspace }, upstream.state === 'awake' ? 1 : 0);
    metrics.set('oldestSeconds', { workspace }, oldestAt === undefined ? 0 : Math.max(0, now - oldestAt) / 1000);
    metrics.set(
      'unopenableBatches',
      { workspace },
      unopenable.reduce((sum, { batches }) => sum + batches, 0),
    );
    for (const [state, agents] of Object.entries(agentsOf(workspace))) metrics.set('agents', { workspace, state }, agents);
    for (const { kind, ...amounts } of balance) {
      metrics.set('cachedBatches', { workspace, kind }, amounts.cached.batches);
      metrics.set('cachedBytes', { workspace, kind }, amounts.cached.bytes);
      for (const entry of ENTRIES) metrics.set('balance', { workspace, kind, entry }, amounts[entry].batches);
    }
  }
}
