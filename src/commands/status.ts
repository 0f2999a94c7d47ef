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
import { roadLines } from './road-lines.ts';

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
  const ready = cache.ready.ok ? 'ready' : `NOT READY: ${cache.ready.reasons.join(' ')}`;
  return [
    `relay ${status.version}, ${ready}, running since ${moment(status.startedAt)} (pid ${status.pid})`,
    `agents      ${agents.approved} approved, ${agents.pending} pending, ${agents.suspended} suspended; port ${status.intakePort}`,
    ...(status.tunnel ? [`tunnel      ${status.tunnel.open} open; port ${status.tunnel.port}`] : []),
    `cache       ${formatSize(cache.usedBytes)} of ${formatSize(cache.limitBytes)}`,
    `certificate until ${moment(status.serverCertificateEndsAt)}, root ${status.rootFingerprint}`,
    ...cache.workspaces.map((workspace) => describeWorkspace(workspace, status)),
  ].join('\n');
}

function describeWorkspace(workspace: WorkspaceStats, { workspaceNames, copiedTo, roads }: Status): string {
  const name = workspaceNames[workspace.workspaceId] ?? workspace.workspaceId;
  const oldest = workspace.oldestAt === undefined ? '' : `, oldest received ${moment(workspace.oldestAt)}`;
  const head = `\n${name}: ${describeUpstream(workspace.upstream)}; ${workspace.groupsWaiting + workspace.groupsInFlight} groups cached${oldest}`;
  const notes = (workspace.unopenable ?? []).map(
    ({ keyId, batches }) =>
      `\nKEY ${keyId} IS LOST: ${batches} batches cannot be opened; they stay on disk. Restore the key ring's file, then start the relay again; or: relay keys forget ${keyId}`,
  );
  notes.unshift(...roadLines(roads[workspace.workspaceId]));
  const copies = copiedTo[workspace.workspaceId] ?? [];
  if (copies.length > 0) notes.push(`\nWhat comes for it is copied to: ${copies.join(', ')}`);
  if (workspace.paused) notes.push('\nPAUSED: nothing is sent until: relay cache resume');
  if (workspace.gettingOld)
    notes.push('\nData has waited for more than 48 hours: the service will give it the time of its arrival, and cache.maxAge ends its wait.');
  if (workspace.lost)
    notes.push(
      `\n${workspace.lost.batches} batches (${formatSize(workspace.lost.bytes)}) were given up, and the workspace has not been told yet: relay losses list`,
    );
  if (workspace.balance.length === 0) return head + notes.join('');
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
  return `${head}${notes.join('')}\n${table}`;
}

function describeUpstream({ state, since, nextTryAt, reason }: UpstreamState): string {
  if (state === 'awake') return 'reachable';
  const word = state === 'held' ? 'NOT REACHABLE, data is held' : 'NOT REACHABLE';
  return `${word} since ${moment(since)}, next try ${moment(nextTryAt)} (${reason})`;
}
