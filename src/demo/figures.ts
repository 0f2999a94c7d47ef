import { KINDS, type Kind, kindOf } from '../batch/kind.ts';
import { type Balance, type BalanceEntry, unaccounted } from '../cache/balance.ts';
import type { UpstreamState } from '../cache/cache.ts';
import type { DataCount } from '../local-workspace/intake/upload.ts';
import { DEMO_WORKSPACE, type Site } from './site.ts';

/** One kind of data on its way, in batches. */
export interface KindFigures {
  readonly kind: Kind;
  readonly dataTypes: readonly string[];
  readonly received: number;
  readonly cached: number;
  readonly delivered: number;
  /** What came to the workspace straight from the agents, as the workspace counts it. */
  readonly straight: number;
  /** What the workspace counts itself, by both ways. */
  readonly inWorkspace: number;
}

/** The demo's result: the relay's books held against the agents' and the workspace's own. In batches. */
export interface DemoResult {
  readonly received: number;
  readonly delivered: number;
  readonly cached: number;
  readonly deadLettered: number;
  readonly dropped: number;
  /** Batches that the workspace got straight from the agents. */
  readonly direct: number;
  /** Batches the workspace got more than once. */
  readonly duplicates: number;
  /** Batches that were acknowledged to an agent, but are neither in the workspace nor in the relay; and what the relay's books miss. */
  readonly lost: number;
}

/** Where data is at this moment, by kind. */
export function figuresOf(site: Site): readonly KindFigures[] {
  const balances = balancesOf(site);
  const counts = site.workspace.count(DEMO_WORKSPACE);
  return KINDS.flatMap((kind) => {
    const balance = balances.find((one) => one.kind === kind);
    const ofKind = counts.filter((count) => kindOf(count.dataType, '') === kind);
    if (!balance && ofKind.length === 0) return [];
    return [
      {
        kind,
        dataTypes: ofKind.map(({ dataType }) => dataType),
        received: balance?.received.batches ?? 0,
        cached: balance?.cached.batches ?? 0,
        delivered: balance?.delivered.batches ?? 0,
        straight: sum(ofKind, ({ direct }) => direct),
        inWorkspace: sum(ofKind, ({ batches }) => batches),
      },
    ];
  });
}

export function upstreamOf(site: Site): UpstreamState {
  return site.relay.status().cache.workspaces[0]?.upstream ?? { state: 'awake' };
}

/** How many agents' connections to the workspace the relay's tunnel carries. */
export function openTunnels(site: Site): number {
  return site.relay.status().tunnel?.open ?? 0;
}

/** How many batches wait in the agents' own queues. */
export function queuedAtAgents(site: Site): number {
  return sum(site.agents, (agent) => sum(Object.values(agent.stats().queued), (count) => count));
}

/** Data types that every run must bring: heartbeat, performance counters, log lines. Returns those the workspace does not have. */
export function missingDataTypes(site: Site): readonly string[] {
  const there = new Set(site.workspace.count(DEMO_WORKSPACE).map(({ dataType }) => dataType));
  return ['HEALTH_ASSESSMENT_BLOB', 'LINUX_PERF_BLOB', 'LINUX_SYSLOGS_BLOB'].filter((dataType) => !there.has(dataType));
}

/** How many batches came to the workspace straight from the agents. */
export function straightToWorkspace(site: Site): number {
  return sum(site.workspace.count(DEMO_WORKSPACE), ({ direct }) => direct);
}

/** Closes the books. To be asked when agents have stopped and nothing is on its way. */
export function resultOf(site: Site): DemoResult {
  const balances = balancesOf(site);
  const total = (entry: BalanceEntry | 'cached'): number => sum(balances, (balance) => balance[entry].batches);
  const counts: readonly DataCount[] = site.workspace.count(DEMO_WORKSPACE);
  const arrived = new Set<string>(site.workspace.batchIds(DEMO_WORKSPACE));
  const missing = site.agents.flatMap((agent) => [...agent.stats().acknowledgedIds]).filter((id) => !arrived.has(id));
  const kept = total('cached') + total('deadLettered') + total('dropped');
  const unexplained = sum(balances, (balance) => Math.abs(unaccounted(balance)));
  const notArrived = Math.max(0, total('delivered') - sum(counts, ({ batches, direct }) => batches - direct));
  return {
    received: total('received'),
    delivered: total('delivered'),
    cached: total('cached'),
    deadLettered: total('deadLettered'),
    dropped: total('dropped'),
    direct: straightToWorkspace(site),
    duplicates: sum(counts, ({ repeated }) => repeated),
    lost: Math.max(0, missing.length - kept) + unexplained + notArrived,
  };
}

function balancesOf(site: Site): readonly (Balance & { readonly kind: Kind })[] {
  return site.relay.status().cache.workspaces.flatMap(({ balance }) => balance);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
