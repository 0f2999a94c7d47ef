import { Command, InvalidArgumentError, Option } from 'commander';
import { KINDS } from '../batch/kind.ts';
import type { WorkspaceStats } from '../cache/cache.ts';
import type { Environment } from '../configuration/environment.ts';
import type { PurgeProgress, Status } from '../control/api.ts';
import { userName } from '../control/operator.ts';
import type { Column } from '../table.ts';
import { formatSize, readDuration } from '../units.ts';
import { askPerson, type Confirm } from './confirm.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';
import { openSession, type RelaySession, relayCommand, type SocketFlags } from './relay-socket.ts';

interface WorkspaceFlags extends SocketFlags {
  readonly workspace?: string;
}

interface PurgeFlags extends WorkspaceFlags {
  readonly kind?: string;
  readonly dataType?: string;
  readonly olderThan?: number;
  readonly yes?: boolean;
}

interface Row {
  readonly name: string;
  readonly stats: WorkspaceStats;
}

const COLUMNS: readonly Column<Row>[] = [
  ['WORKSPACE', ({ name }) => name],
  ['STATE', ({ stats }) => `${stats.upstream.state}${stats.paused ? ', paused' : ''}`],
  ['SINCE', ({ stats }) => moment(stats.upstream.since)],
  ['NEXT TRY', ({ stats }) => moment(stats.paused ? undefined : stats.upstream.nextTryAt)],
  ['BATCHES', ({ stats }) => cachedOf(stats).batches],
  ['BYTES', ({ stats }) => cachedOf(stats).bytes],
  ['OLDEST', ({ stats }) => `${moment(stats.oldestAt)}${stats.gettingOld ? ' (OLDER THAN 48 h)' : ''}`],
  ['REASON', ({ stats }) => stats.upstream.reason ?? ''],
];

/** `relay cache status | retry-now | pause | resume | purge`: what waits, and what an operator does with it. */
export function cacheCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput, confirm: Confirm = askPerson): Command {
  const parts = { env, outputFor };
  const status = workspaceCommand('status', 'show what waits for each workspace').action(async (flags: WorkspaceFlags) => {
    const session = await openSession(flags, parts);
    const rows = await chosen(session, flags);
    if (session.output.json)
      printValue(
        session.output,
        rows.map(({ stats }) => stats),
        '',
      );
    else printRows(session.output, rows, COLUMNS, 'No workspaces.');
  });
  const act = (verb: string, description: string, done: string): Command =>
    workspaceCommand(verb, description).action(async (flags: WorkspaceFlags) => {
      const session = await openSession(flags, parts);
      const rows = await chosen(session, flags);
      const workspaceIds = rows.map(({ stats }) => stats.workspaceId);
      await session.post(`/cache/${verb}`, { workspaceIds, by: userName() });
      printValue(session.output, { workspaceIds }, rows.map(({ name }) => `${name}: ${done}`).join('\n'));
    });
  const purge = workspaceCommand('purge', 'delete cached data for good; the loss ledger keeps what it was')
    .addOption(new Option('--kind <kind>', 'only this kind of data').choices(KINDS))
    .option('--data-type <type>', 'only this data type, such as LINUX_PERF_BLOB')
    .option('--older-than <duration>', 'only what was received longer ago, such as 48h', readAge)
    .option('--yes', 'do not ask')
    .action(async (flags: PurgeFlags) => purgeCached(flags, await openSession(flags, parts), confirm));
  return new Command('cache')
    .description('what waits for the workspaces')
    .addCommand(status)
    .addCommand(act('retry-now', 'try a workspace that cannot be reached now instead of at its next try', 'tried now.'))
    .addCommand(act('pause', 'send nothing to a workspace until it is resumed, over restarts too; agents are still served', 'paused.'))
    .addCommand(act('resume', 'send again to a workspace that was paused', 'resumed.'))
    .addCommand(purge);
}

function workspaceCommand(name: string, description: string): Command {
  return relayCommand(name, description).option('--workspace <workspace>', 'its name, its id or the beginning of it; all when left out');
}

async function chosen(session: RelaySession, { workspace }: WorkspaceFlags): Promise<Row[]> {
  const { cache, workspaceNames } = await session.get<Status>('/status');
  const rows = cache.workspaces.map((stats) => ({ name: workspaceNames[stats.workspaceId] ?? stats.workspaceId, stats }));
  if (workspace === undefined) return rows;
  const found = rows.filter(({ name, stats }) => name === workspace || stats.workspaceId.startsWith(workspace.toLowerCase()));
  if (found.length === 1) return found;
  const names = rows.map(({ name }) => name).join(', ');
  throw new CommandFailure(EXIT.usage, `"${workspace}" fits ${found.length === 0 ? 'no workspace' : `${found.length} workspaces`} of this relay: ${names}`);
}

async function purgeCached(flags: PurgeFlags, session: RelaySession, confirm: Confirm): Promise<void> {
  const { kind, dataType, olderThan } = flags;
  const rows = await chosen(session, flags);
  const counts = rows.map(({ name, stats }) => {
    const { batches, bytes } = cachedOf(stats, kind);
    return `${name}: ${batches} batches, ${formatSize(bytes)}`;
  });
  const only = [...(kind ? [`of kind ${kind}`] : []), ...(dataType ? [`of type ${dataType}`] : []), ...(olderThan ? ['that are old enough'] : [])];
  const question = `This deletes cached data for good${dataType || olderThan ? `, of these those ${only.join(', ')}` : ''}:\n${counts.join('\n')}\nDelete it?`;
  if (!flags.yes && !(await confirm(question))) throw new CommandFailure(EXIT.failed, 'Nothing was deleted. Without a person to ask, add --yes.');
  const workspaceIds = rows.map(({ stats }) => stats.workspaceId);
  const body = { workspaceIds, by: userName(), before: Date.now() - (olderThan ?? 0), kind, dataType };
  let progress = await session.post<PurgeProgress>('/cache/purge', body);
  while (progress.state === 'running') progress = await session.get<PurgeProgress>('/cache/purge');
  const { batches, bytes } = progress;
  printValue(session.output, { batches, bytes }, `${batches} batches (${formatSize(bytes)}) were deleted. The loss ledger has them: relay losses list`);
}

function cachedOf({ balance }: WorkspaceStats, kind?: string): { readonly batches: number; readonly bytes: number } {
  const rows = balance.filter((row) => (kind ?? row.kind) === row.kind);
  return { batches: rows.reduce((sum, row) => sum + row.cached.batches, 0), bytes: rows.reduce((sum, row) => sum + row.cached.bytes, 0) };
}

function readAge(text: string): number {
  const ageMs = readDuration(text);
  if (ageMs === undefined) throw new InvalidArgumentError('It must be a duration such as 90m, 48h or 3d.');
  return ageMs;
}
