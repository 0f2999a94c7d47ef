import type { Command } from 'commander';
import type { Amount } from '../cache/balance.ts';
import type { WorkspaceStats } from '../cache/cache.ts';
import type { Environment } from '../configuration/environment.ts';
import type { Status } from '../control/api.ts';
import { attentionOf } from '../control/attention-of.ts';
import { tableOf } from '../table.ts';
import { attentionLines } from './attention-lines.ts';
import { createOutput, type Output, printValue } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';
import { aboutLines, headline, workspacesTable } from './status-lines.ts';

/** What one screen has room for; all of it is in the JSON. */
const MOST_ATTENTION = 15;

interface StatusFlags extends SocketFlags {
  readonly balance?: boolean;
}

/** `relay status`: what needs attention first, then where data is, and since when. */
export function statusCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput, now: () => number = Date.now): Command {
  const parts = { env, outputFor };
  return relayCommand('status', 'show what needs attention, and where data is')
    .option('--balance', 'also what came in and where it went, by workspace and kind of data')
    .action(async (flags: StatusFlags) => {
      const { get, output } = await openSession(flags, parts);
      const status = await get<Status>('/status');
      printValue(output, status, screenOf(status, now(), flags.balance ?? false));
    });
}

/** The screen, paragraph by paragraph. */
export function screenOf(status: Status, now: number, withBalance: boolean): string {
  const attention = attentionOf(status, now);
  const paragraphs = [
    headline(status, attention),
    attentionLines(attention, MOST_ATTENTION).join('\n'),
    workspacesTable(status, now),
    aboutLines(status, now).join('\n'),
    ...(withBalance ? status.cache.workspaces.map((workspace) => balanceOf(workspace, status)) : []),
  ];
  return paragraphs.filter((paragraph) => paragraph !== '').join('\n\n');
}

function balanceOf({ workspaceId, balance }: WorkspaceStats, { workspaceNames }: Status): string {
  const name = workspaceNames[workspaceId] ?? workspaceId;
  if (balance.length === 0) return `${name}: nothing has come since the relay started.`;
  const batches = ({ batches: count }: Amount): number => count;
  const table = tableOf(balance, [
    ['KIND', (row) => row.kind],
    ['RECOVERED', (row) => batches(row.recovered)],
    ['RECEIVED', (row) => batches(row.received)],
    ['DELIVERED', (row) => batches(row.delivered)],
    ['CACHED', (row) => batches(row.cached)],
    ['DEAD', (row) => batches(row.deadLettered)],
    ['DROPPED', (row) => batches(row.dropped)],
  ]);
  return `${name}, in batches since the relay started:\n${table}`;
}
