import type { Command } from 'commander';
import type { Amount } from '../cache/balance.ts';
import type { UpstreamState, WorkspaceStats } from '../cache/cache.ts';
import type { Environment } from '../configuration/environment.ts';
import type { Status } from '../control/api.ts';
import { tableOf } from '../table.ts';
import { formatSize } from '../units.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printValue } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';

/** `relay status`: is all well, where does data wait, since when. */
export function statusCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  return relayCommand('status', 'show how the running relay is').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    const status = await get<Status>('/status');
    printValue(output, status, describe(status));
  });
}

function describe(status: Status): string {
  const { agents, cache } = status;
  const ready = cache.ready.ok ? 'ready' : `NOT READY: ${cache.ready.reason}`;
  return [
    `relay ${status.version}, ${ready}, running since ${moment(status.startedAt)} (pid ${status.pid})`,
    `agents      ${agents.approved} approved, ${agents.pending} pending, ${agents.suspended} suspended; port ${status.intakePort}`,
    `cache       ${formatSize(cache.usedBytes)} of ${formatSize(cache.limitBytes)}`,
    `certificate until ${moment(status.serverCertificateEndsAt)}, root ${status.rootFingerprint}`,
    ...cache.workspaces.map((workspace) => describeWorkspace(workspace, status.workspaceNames[workspace.workspaceId] ?? workspace.workspaceId)),
  ].join('\n');
}

function describeWorkspace(workspace: WorkspaceStats, name: string): string {
  const oldest = workspace.oldestAt === undefined ? '' : `, oldest received ${moment(workspace.oldestAt)}`;
  const head = `\n${name}: ${describeUpstream(workspace.upstream)}; ${workspace.groupsWaiting + workspace.groupsInFlight} groups cached${oldest}`;
  if (workspace.balance.length === 0) return head;
  const batches = ({ batches: count }: Amount): number => count;
  const table = tableOf(workspace.balance, [
    ['KIND', (row) => row.kind],
    ['RECOVERED', (row) => batches(row.recovered)],
    ['RECEIVED', (row) => batches(row.received)],
    ['DELIVERED', (row) => batches(row.delivered)],
    ['CACHED', (row) => batches(row.cached)],
    ['DEAD', (row) => batches(row.deadLettered)],
    ['DROPPED', (row) => batches(row.dropped)],
  ]);
  return `${head}\n${table}`;
}

function describeUpstream({ state, since, nextTryAt, reason }: UpstreamState): string {
  if (state === 'awake') return 'reachable';
  const word = state === 'held' ? 'NOT REACHABLE, data is held' : 'NOT REACHABLE';
  return `${word} since ${moment(since)}, next try ${moment(nextTryAt)} (${reason})`;
}
