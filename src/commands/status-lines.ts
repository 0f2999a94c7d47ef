/** What `relay status` and `relay top` show alike. */
import type { BalanceEntry } from '../cache/balance.ts';
import type { UpstreamState, WorkspaceStats } from '../cache/cache.ts';
import type { Status } from '../control/api.ts';
import type { Attention } from '../control/attention.ts';
import { roughDuration, roughSize } from '../rough.ts';
import { tableOf } from '../table.ts';
import type { WorkspaceRoads } from '../workspace/road-state.ts';
import { moment } from './moments.ts';
import { roadLines } from './road-lines.ts';

const STATES = { awake: 'reachable', resting: 'NOT REACHABLE', held: 'HELD' } as const;

interface Row {
  readonly name: string;
  readonly stats: WorkspaceStats;
  readonly roads: WorkspaceRoads | undefined;
}

/** What runs, and how it is, on one line. */
export function headline({ version, pid, startedAt, cache }: Status, attention: readonly Attention[]): string {
  const ready = cache.ready.ok ? 'ready' : 'NOT READY';
  const acts = attention.filter(({ severity }) => severity === 'act').length;
  const needs = acts === 0 ? '' : `; ${acts} to act on`;
  return `relay ${version}, ${ready}, running since ${moment(startedAt)} (pid ${pid})${needs}`;
}

/** The workspaces, a line each, in batches since the relay started. */
export function workspacesTable(status: Status, now: number): string {
  const rows = status.cache.workspaces.map((stats): Row => ({ name: nameOf(status, stats.workspaceId), stats, roads: status.roads[stats.workspaceId] }));
  if (rows.length === 0) return 'No workspaces: nothing is taken. Register one: relay register';
  return tableOf(rows, [
    ['WORKSPACE', ({ name }) => name],
    ['STATE', ({ stats }) => stateOf(stats)],
    ['PATH', ({ roads }) => roads?.data.kind ?? '-'],
    ['VERIFIED', ({ roads }) => sinceOf(roads?.data.verifiedAt, now, ' ago')],
    ['CACHED', ({ stats }) => cachedOf(stats).batches],
    ['BYTES', ({ stats }) => roughSize(cachedOf(stats).bytes)],
    ['OLDEST', ({ stats }) => sinceOf(stats.oldestAt, now)],
    ['RECEIVED', ({ stats }) => totalOf(stats, 'received')],
    ['DELIVERED', ({ stats }) => totalOf(stats, 'delivered')],
    ['DEAD', ({ stats }) => stats.deadLetters.letters],
    ['DROPPED', ({ stats }) => totalOf(stats, 'dropped')],
  ]);
}

/** Roads, copies, agents, cache, certificates. */
export function aboutLines(status: Status, now: number): string[] {
  const { agents, agentsSilent, cache, tunnel, syslog, group } = status;
  const { disk, redis } = cache.ground;
  const memory = redis.memoryLimitBytes === 0 ? '' : ` of ${roughSize(redis.memoryLimitBytes)}`;
  return [
    ...cache.workspaces.flatMap(({ workspaceId }) => pathLines(status, workspaceId)),
    `agents        ${agents.approved} approved (${agentsSilent} silent), ${agents.pending} pending, ${agents.suspended} suspended; port ${status.intakePort}`,
    ...(group ? [groupLine(group, now)] : []),
    ...(tunnel ? [`tunnel        ${tunnel.open} open; port ${tunnel.port}`] : []),
    ...(syslog ? [`syslog        ${syslog.open} connections; port ${syslog.port}`] : []),
    `cache         ${roughSize(cache.usedBytes)} of ${roughSize(cache.limitBytes)}; disk ${roughSize(disk.freeBytes)} free of ${roughSize(disk.sizeBytes)}; Redis ${roughSize(redis.memoryUsedBytes)}${memory}`,
    `certificates  ${certificates(status, now)}`,
    `root          ${status.rootFingerprint}`,
  ];
}

/** What waits for a workspace. */
export function cachedOf({ balance }: WorkspaceStats): { readonly batches: number; readonly bytes: number } {
  return { batches: balance.reduce((sum, { cached }) => sum + cached.batches, 0), bytes: balance.reduce((sum, { cached }) => sum + cached.bytes, 0) };
}

/** A workspace's state in a word or two. */
export function stateOf({ upstream, paused }: { readonly upstream: Pick<UpstreamState, 'state'>; readonly paused?: boolean }): string {
  return `${STATES[upstream.state]}${paused ? ', paused' : ''}`;
}

/** What people call a workspace. */
export function nameOf({ workspaceNames }: Status, workspaceId: string): string {
  return workspaceNames[workspaceId] ?? workspaceId;
}

/** For how long something has been so; a hyphen when nothing is known. */
export function sinceOf(at: number | undefined, now: number, behind = ''): string {
  return at === undefined ? '-' : roughDuration(now - at) + behind;
}

function groupLine({ role, name, primary, members, copy }: NonNullable<Status['group']>, now: number): string {
  const relays = `${members.length} ${members.length === 1 ? 'relay' : 'relays'}`;
  if (role === 'primary') return `group         ${name} is the primary of ${relays}`;
  const age = copy?.confirmedAt === undefined ? 'not confirmed since the start' : `${roughDuration(now - copy.confirmedAt)} old`;
  return `group         ${name} is a member of ${relays}; primary ${primary.name} at ${primary.address}; copy ${age}`;
}

function pathLines(status: Status, workspaceId: string): string[] {
  const name = nameOf(status, workspaceId);
  const copies = status.copiedTo[workspaceId] ?? [];
  return [
    ...roadLines(status.roads[workspaceId]).map((line) => `${name}: ${line}`),
    ...(copies.length > 0 ? [`${name}: What comes for it is copied to: ${copies.join(', ')}`] : []),
  ];
}

// Of each role the one that ends first.
function certificates(status: Status, now: number): string {
  const listed = status.certificates.length > 0 ? status.certificates : [{ role: 'server', endsAt: status.serverCertificateEndsAt } as const];
  const first = [...Map.groupBy(listed, ({ role }) => role)].map(([role, ends]) => ({ role, endsAt: Math.min(...ends.map(({ endsAt }) => endsAt)) }));
  return first.map(({ role, endsAt }) => `${role} ${endsAt > now ? `${roughDuration(endsAt - now)} left` : 'ENDED'}`).join(', ');
}

function totalOf({ balance }: WorkspaceStats, entry: BalanceEntry): number {
  return balance.reduce((sum, row) => sum + row[entry].batches, 0);
}
