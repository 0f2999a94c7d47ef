import type { CertificateEnd } from '../authority/certificate-end.ts';
import { errorReplies } from '../intake/error-replies.ts';
import { END_REASONS, TRUNCATIONS } from '../intake/syslog/syslog-connection.ts';
import { MESSAGE_FORMATS } from '../intake/syslog/syslog-message.ts';
import { LINE_LEVELS, type LogRecord } from '../logger.ts';
import { type AgentFigures, agentFigures } from '../management-group/agent-figures.ts';
import { readGauges } from '../metrics/gauges.ts';
import { readGroup } from '../metrics/group-gauges.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { startAtZero } from '../metrics/start-at-zero.ts';
import { REFUSAL_REASONS } from '../tunnel/refusals.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Building } from './building.ts';
import type { Gateway } from './gateway.ts';
import type { Grouping } from './grouping.ts';
import type { Keeping } from './keeping.ts';
import type { Sending } from './sending.ts';
import type { Trust } from './trust.ts';

export interface WatchingParts {
  readonly trust: Trust;
  readonly sending: Sending;
  readonly keeping: Keeping;
  readonly grouping: Grouping;
  readonly gateway: Gateway;
}

/** What an operator is shown from outside. */
export interface Watching {
  agentFigures(): ReadonlyMap<WorkspaceId, AgentFigures>;
  /** Every certificate that must not end unseen. */
  certificates(): readonly CertificateEnd[];
}

/** Has the figures read before each scrape. */
export function createWatching(building: Building, { trust, sending, keeping, grouping, gateway }: WatchingParts): Watching {
  const { configuration, metrics, clock } = building;
  const { group, server, authority } = trust;
  const { registry } = group;
  const startedAt = clock.now();

  const figures = (): ReadonlyMap<WorkspaceId, AgentFigures> =>
    agentFigures(registry.all(), {
      now: clock.now(),
      startedAt,
      silentAfterMs: configuration.metrics.silentAfter,
      top: configuration.metrics.topAgents,
      heardElsewhere: grouping.heardElsewhere,
      certificatesOf: registry.certificatesOf,
    });
  const certificates = (of = figures()): readonly CertificateEnd[] => [
    { role: 'server', endsAt: server.endsAt() },
    ...authority.describe().flatMap(({ role, endsAt }): CertificateEnd[] => (role === 'current' ? [{ role: 'root', endsAt }] : [])),
    ...[...of].flatMap(([workspaceId, { certificateEndsAt: endsAt }]): CertificateEnd[] =>
      endsAt === undefined ? [] : [{ role: 'agents', workspaceId, endsAt }],
    ),
    ...sending.certificates(),
  ];

  sayWhatHolds(building);
  const countEvicted = evictedCounter(metrics, keeping.cache.stats().ground.redis.evictedKeys);
  metrics.beforeScrape(() => {
    const stats = keeping.cache.stats();
    const agents = figures();
    readGauges(metrics, {
      stats,
      agentsOf: registry.countByState,
      agentFigures: agents,
      roads: sending.roads(),
      certificates: certificates(agents),
      retryWindowMs: configuration.retry.window,
      now: clock.now(),
    });
    countEvicted(stats.ground.redis.evictedKeys);
  });
  metrics.beforeScrape(gateway.countBytes);
  metrics.beforeScrape(() => readGroup(metrics, grouping.status(), { now: clock.now(), startedAt }));
  if (building.record) countLogLines(metrics, building.record);
  return { agentFigures: figures, certificates: () => certificates() };
}

/** Sets what does not change while the process lives. */
function sayWhatHolds({ configuration, metrics, version }: Building): void {
  const { workspaces, intake } = configuration;
  const syslog = { formats: MESSAGE_FORMATS, truncations: TRUNCATIONS, ends: END_REASONS };
  startAtZero(metrics, { workspaces, refusals: errorReplies().map(([code]) => code), tunnelRefusals: REFUSAL_REASONS, syslog });
  metrics.set('buildInfo', { version, node: process.versions.node }, 1);
  metrics.set('connectionsLimit', {}, intake.maxConnections);
  for (const { id, protocol, path } of workspaces) metrics.set('workspaceInfo', { workspace: id, id, protocol, path: path.kind }, 1);
}

/** Counts what Redis throws away from now on. One that was started afresh counts from zero again. */
function evictedCounter(metrics: Metrics, atStart: number): (evictedKeys: number) => void {
  let before = atStart;
  return (now) => {
    metrics.count('redisEvicted', {}, now >= before ? now - before : now);
    before = now;
  };
}

/** Counts the lines of the log at each scrape, those from before the first one too. */
function countLogLines(metrics: Metrics, { lineCounts }: LogRecord): void {
  const counted = { error: 0, warn: 0, info: 0, debug: 0 };
  metrics.beforeScrape(() => {
    const now = lineCounts();
    for (const level of LINE_LEVELS) {
      metrics.count('logLines', { level }, now[level] - counted[level]);
      counted[level] = now[level];
    }
  });
}
