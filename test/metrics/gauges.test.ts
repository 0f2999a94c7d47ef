import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CacheStats, WorkspaceStats } from '../../src/cache/cache.ts';
import type { AgentFigures } from '../../src/management-group/agent-figures.ts';
import { type Reading, readGauges } from '../../src/metrics/gauges.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { startAtZero } from '../../src/metrics/start-at-zero.ts';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { GROUND } from '../cache/ground.ts';
import { BANK, PLANT, START } from '../management-group/rig.ts';

const NOTHING = { batches: 0, bytes: 0 };
const WINDOW_MS = 7_200_000;

const QUIET: WorkspaceStats = {
  workspaceId: PLANT,
  upstream: { state: 'awake' },
  balance: [],
  oldestByKind: {},
  groupsWaiting: 0,
  groupsInFlight: 0,
  groupsDelayed: 0,
  deadLetters: { letters: 0, bytes: 0, byStatus: {} },
};

const AWAY: WorkspaceStats = {
  ...QUIET,
  workspaceId: BANK,
  upstream: { state: 'resting', since: START - 600_000, nextTryAt: START + 60_000, heldAt: START - 600_000 + WINDOW_MS, reason: 'x' },
  balance: [
    {
      kind: 'Event',
      recovered: NOTHING,
      received: { batches: 5, bytes: 50 },
      delivered: { batches: 1, bytes: 10 },
      cached: { batches: 3, bytes: 30 },
      deadLettered: NOTHING,
      dropped: NOTHING,
    },
  ],
  oldestByKind: { Event: START - 90_000 },
  dueSince: START - 30_000,
  groupsWaiting: 3,
  groupsInFlight: 1,
  groupsDelayed: 2,
  deadLetters: { letters: 3, bytes: 900, oldestAt: START - 4_000, byStatus: { 400: 2, quarantined: 1 } },
  indexCounts: { waiting: 1, prioritized: 0, active: 1, delayed: 2, failed: 0 },
  unopenable: [{ keyId: 'k', groups: 2, batches: 7, bytes: 70 }],
  lost: { batches: 4, bytes: 40 },
  paused: true,
};

function statsOf(workspaces: readonly WorkspaceStats[], more: Partial<CacheStats> = {}): CacheStats {
  return { workspaces, usedBytes: 30, limitBytes: 100, ready: { ok: true }, ground: GROUND, ...more };
}

async function exposed(more: Partial<Reading> = {}): Promise<ReadonlySet<string>> {
  const metrics = createMetrics({ workspaceName: (id) => (id === BANK ? 'bank' : 'plant') });
  metrics.beforeScrape(() =>
    readGauges(metrics, {
      stats: statsOf([AWAY, QUIET]),
      agentsOf: () => ({ pending: 1, approved: 2, suspended: 0 }),
      agentFigures: new Map(),
      roads: {},
      certificates: [],
      retryWindowMs: WINDOW_MS,
      now: START,
      ...more,
    }),
  );
  await metrics.expose();
  return new Set((await metrics.expose()).split('\n'));
}

function assertHas(lines: ReadonlySet<string>, expected: readonly string[]): void {
  for (const line of expected)
    assert.ok(lines.has(line), `${line} is missing among\n${[...lines].filter((one) => one.startsWith(line.split(/[{ ]/)[0] ?? '')).join('\n')}`);
}

describe('the gauges that are read at a scrape', () => {
  it('say what waits, how old it is and where everything went, also when it is nothing', async () => {
    assertHas(await exposed(), [
      'relay_cache_used_bytes 30',
      'relay_cache_limit_bytes 100',
      'relay_cache_batches{workspace="bank",kind="Event"} 3',
      'relay_cache_batches{workspace="plant",kind="Alert"} 0',
      'relay_cache_bytes{workspace="bank",kind="Event"} 30',
      'relay_cache_oldest_batch_age_seconds{workspace="bank",kind="Event"} 90',
      'relay_cache_oldest_batch_age_seconds{workspace="bank",kind="Alert"} 0',
      'relay_cache_oldest_due_age_seconds{workspace="bank"} 30',
      'relay_cache_oldest_due_age_seconds{workspace="plant"} 0',
      'relay_cache_groups{workspace="bank",state="waiting"} 1',
      'relay_cache_groups{workspace="bank",state="in-flight"} 1',
      'relay_cache_groups{workspace="bank",state="delayed"} 2',
      'relay_cache_groups{workspace="bank",state="unopenable"} 2',
      'relay_index_jobs{workspace="bank",state="delayed"} 2',
      'relay_cache_unopenable_batches{workspace="bank"} 7',
      'relay_losses_unreported_batches{workspace="bank"} 4',
      'relay_cache_paused{workspace="bank"} 1',
      'relay_cache_paused{workspace="plant"} 0',
      'relay_balance_batches{workspace="bank",kind="Event",entry="received"} 5',
      'relay_balance_batches{workspace="bank",kind="Event",entry="dropped"} 0',
      'relay_balance_bytes{workspace="bank",kind="Event",entry="delivered"} 10',
      'relay_balance_unaccounted_batches{workspace="bank",kind="Event"} 1',
      'relay_balance_unaccounted_batches{workspace="plant",kind="Event"} 0',
    ]);
  });

  it('say whether each workspace answers, since when it does not, and how much of the window is left', async () => {
    assertHas(await exposed(), [
      'relay_upstream_up{workspace="bank"} 0',
      'relay_upstream_up{workspace="plant"} 1',
      'relay_upstream_outage_seconds{workspace="bank"} 600',
      'relay_upstream_outage_seconds{workspace="plant"} 0',
      `relay_upstream_next_try_timestamp_seconds{workspace="bank"} ${START / 1000 + 60}`,
      'relay_upstream_next_try_timestamp_seconds{workspace="plant"} 0',
      'relay_retry_window_remaining_seconds{workspace="bank"} 6600',
      'relay_retry_window_remaining_seconds{workspace="plant"} 7200',
      'relay_upstream_held{workspace="bank"} 0',
    ]);
    const held = { ...AWAY, upstream: { state: 'held', since: START - 8_000_000, nextTryAt: START, heldAt: START - 800_000, reason: 'x' } } as const;
    assertHas(await exposed({ stats: statsOf([held]) }), [
      'relay_retry_window_remaining_seconds{workspace="bank"} 0',
      'relay_upstream_held{workspace="bank"} 1',
    ]);
  });

  it('say how each network path was found last, and nothing before it was ever taken', async () => {
    const refusal = { reason: 'not-private', message: 'x', at: START } as const;
    const roads = {
      [BANK]: { data: { kind: 'private-link', verifiedAt: START - 1, refusal }, signIn: { kind: 'public', verifiedAt: START } },
      [PLANT]: { data: { kind: 'public' } },
    } as Reading['roads'];
    const lines = await exposed({ roads });
    assertHas(lines, [
      'relay_upstream_path_up{workspace="bank",path="data",kind="private-link"} 0',
      'relay_upstream_path_up{workspace="bank",path="sign-in",kind="public"} 1',
    ]);
    assert.deepEqual(
      [...lines].filter((line) => line.startsWith('relay_upstream_path_up{workspace="plant"')),
      [],
    );
  });

  it('count dead letters by the answer, and forget an answer that no letter has any more', async () => {
    assertHas(await exposed(), [
      'relay_dead_letters{workspace="bank",status="400"} 2',
      'relay_dead_letters{workspace="bank",status="quarantined"} 1',
      'relay_dead_letter_bytes{workspace="bank"} 900',
      'relay_dead_letter_oldest_age_seconds{workspace="bank"} 4',
      'relay_dead_letter_oldest_age_seconds{workspace="plant"} 0',
    ]);
    const metrics = createMetrics();
    let stats = statsOf([AWAY]);
    metrics.beforeScrape(() =>
      readGauges(metrics, {
        stats,
        agentsOf: () => ({ pending: 0, approved: 0, suspended: 0 }),
        agentFigures: new Map(),
        roads: {},
        certificates: [],
        retryWindowMs: WINDOW_MS,
        now: START,
      }),
    );
    assert.match(await metrics.expose(), /relay_dead_letters\{/);
    stats = statsOf([{ ...QUIET, workspaceId: BANK }]);
    assert.doesNotMatch(await metrics.expose(), /relay_dead_letters\{/);
  });

  it('say who is silent, who lags, and which certificate ends first', async () => {
    const figures: AgentFigures = {
      silent: 3,
      lagging: { '5m': 4, '1d': 1 },
      longestSilent: [{ hostName: 'web01', lastSeenAt: START - 5_000 }],
      certificateEndsAt: START,
    };
    const lines = await exposed({
      agentFigures: new Map<WorkspaceId, AgentFigures>([[BANK, figures]]),
      certificates: [
        { role: 'server', endsAt: START + 1_000 },
        { role: 'agents', workspaceId: BANK, endsAt: START + 2_000 },
      ],
    });
    assertHas(lines, [
      'relay_agents{workspace="bank",state="pending"} 1',
      'relay_agents{workspace="bank",state="suspended"} 0',
      'relay_agents_silent{workspace="bank"} 3',
      'relay_agents_silent{workspace="plant"} 0',
      'relay_agents_lagging{workspace="bank",behind="5m"} 4',
      `relay_agent_last_seen_timestamp_seconds{workspace="bank",agent="web01"} ${START / 1000 - 5}`,
      `relay_certificate_expiry_timestamp_seconds{role="server",workspace=""} ${START / 1000 + 1}`,
      `relay_certificate_expiry_timestamp_seconds{role="agents",workspace="bank"} ${START / 1000 + 2}`,
    ]);
  });

  it('say whether disk and Redis are well', async () => {
    assertHas(await exposed(), [
      'relay_ready 1',
      'relay_redis_up 1',
      'relay_redis_aof_last_write_ok 1',
      'relay_redis_last_save_ok 1',
      `relay_disk_free_bytes ${GROUND.disk.freeBytes}`,
    ]);
    const ground = { ...GROUND, redis: { ...GROUND.redis, aofOk: false, saveOk: false }, doesRedisAnswer: false };
    assertHas(await exposed({ stats: statsOf([], { ground, ready: { ok: false, reasons: ['x'] } }) }), [
      'relay_ready 0',
      'relay_redis_up 0',
      'relay_redis_aof_last_write_ok 0',
      'relay_redis_last_save_ok 0',
    ]);
  });
});

describe('counters whose labels are known', () => {
  it('begin at 0, so that the first loss is seen as one', async () => {
    const metrics = createMetrics();
    const workspaces = [
      { id: BANK, protocol: 'operational-data' },
      { id: PLANT, protocol: 'logs-ingestion' },
    ];
    const syslog = { formats: ['rfc5424'], truncations: ['too-long'], ends: ['idle'] };
    startAtZero(metrics, { workspaces, refusals: ['relay.cache.full'], tunnelRefusals: ['host'], syslog });
    const lines = new Set((await metrics.expose()).split('\n'));
    assertHas(lines, [
      `relay_dropped_batches_total{workspace="${BANK}",kind="Alert",reason="cache-full"} 0`,
      `relay_upstream_path_refused_total{workspace="${PLANT}",path="sign-in",reason="proxy-credentials"} 0`,
      `relay_upstream_attempts_total{workspace="${BANK}",outcome="delivered"} 0`,
      'relay_intake_refused_total{reason="relay.cache.full"} 0',
      'relay_tunnel_connections_total{outcome="host"} 0',
      'relay_syslog_messages_total{format="rfc5424"} 0',
      'relay_syslog_lost_messages_total 0',
      'relay_log_lines_total{level="error"} 0',
    ]);
    assert.ok(![...lines].some((line) => line.includes(BANK) && line.includes('sign-in')));
  });
});
