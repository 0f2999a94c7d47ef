import { Command, Option } from 'commander';
import { RelayError } from '../errors.ts';
import { askControl, type ControlRequest } from '../local-workspace/control/control-client.ts';
import { RETENTION_DAYS } from '../local-workspace/retention/retention-settings.ts';
import type { ShownPending, ShownTable, ShownWorkspace } from '../local-workspace/retention/shown-retention.ts';
import { type Column, tableOf } from '../table.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { askPerson, type Confirm } from './confirm.ts';
import { subcommand, toWorkspace, wholeNumber } from './local-workspace-options.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';

type OutputFor = (json: boolean) => Output;

interface Place {
  readonly data: string;
  readonly json: boolean;
  readonly workspace: WorkspaceId;
  readonly table?: string;
}

interface SetFlags extends Place {
  readonly days?: number;
  readonly follow?: boolean;
  readonly yes: boolean;
}

interface Row {
  readonly name: string;
  readonly days: number;
  readonly isOwn: boolean;
  readonly pending?: ShownPending | undefined;
}

const COLUMNS: readonly Column<Row>[] = [
  ['TABLE', (row) => row.name],
  ['DAYS', (row) => row.days],
  ['SET', (row) => (row.isOwn ? 'for the table' : 'for the workspace')],
  ['WAITS', ({ pending }) => (pending ? waits(pending) : '')],
];

/** `relay local-workspace retention show | set | take-back`: how long rows are kept. */
export function retentionCommand(outputFor: OutputFor = createOutput, confirm: Confirm = askPerson): Command {
  const show = inWorkspace('show', 'how many days each table is kept, and what is to change').action(async (place: Place) => {
    const workspace = (await ask(place, 'GET', '')) as ShownWorkspace;
    const { value: tables } = (await ask(place, 'GET', '/tables')) as { readonly value: readonly ShownTable[] };
    printValue(outputFor(place.json), { workspace, tables }, textOf(workspace, tables));
  });
  const set = inWorkspace('set', 'keep rows longer from now on, or shorter after the grace')
    .option('--table <name>', 'only this table; the workspace, for tables that have none of their own, when left out')
    .addOption(
      new Option('--days <days>', `${RETENTION_DAYS.least} to ${RETENTION_DAYS.most}`).argParser(wholeNumber(RETENTION_DAYS.least, RETENTION_DAYS.most)),
    )
    .addOption(new Option('--follow', 'the table follows the workspace again').conflicts('days'))
    .option('--yes', 'do not ask whether a shortening is wanted', false)
    .action(async (flags: SetFlags) => setRetention(flags, outputFor(flags.json), confirm));
  const takeBack = inWorkspace('take-back', 'drop a shortening that waits')
    .option('--table <name>', 'of this table; of the workspace when left out')
    .action(async (place: Place) => {
      const shown = await ask(place, 'DELETE', `${targetPath(place)}/pendingRetention`);
      printValue(outputFor(place.json), shown, `Taken back. ${stateOf(place, shown)}`);
    });
  return new Command('retention').description('how long rows are kept').addCommand(show).addCommand(set).addCommand(takeBack);
}

async function setRetention(flags: SetFlags, output: Output, confirm: Confirm): Promise<void> {
  const { table, days, follow = false } = flags;
  if (days === undefined && !(follow && table !== undefined)) throw new CommandFailure(EXIT.usage, 'Say --days, or --table and --follow.');
  const send = (confirmed: boolean): Promise<unknown> => {
    const properties = { retentionInDays: days ?? -1 };
    return ask(flags, 'PATCH', targetPath(flags), { properties, ...(confirmed && { confirm: true }) });
  };
  const shown = await send(flags.yes).catch(async (error: unknown) => {
    if (!(error instanceof RelayError) || String(error.code) !== 'ConfirmationRequired') throw error;
    if (await confirm(`${error.message}\nShorten it?`)) return await send(true);
    throw new CommandFailure(EXIT.failed, `Nothing was changed. ${error.message} On the command line: --yes.`);
  });
  printValue(output, shown, stateOf(flags, shown));
}

function textOf({ name, properties }: ShownWorkspace, tables: readonly ShownTable[]): string {
  const { retentionInDays, sku, graceInDays, locked, pending, pendingPlan } = properties;
  const lines = [
    `Workspace ${name}: ${retentionInDays} days (plan ${sku.name === 'Free' ? 'free' : 'paid'}). A shortening waits ${graceInDays} days.`,
    ...(pending ? [`Waits: ${waits(pending)}`] : []),
    ...(pendingPlan ? [`Waits: plan ${pendingPlan.sku.name === 'Free' ? 'free' : 'paid'}, ${waits(pendingPlan)}`] : []),
    ...(locked ? ['It is locked: nothing of this can be changed, and no shortening takes effect.'] : []),
  ];
  const rows = tables.map((table): Row => {
    return { name: table.name, days: table.properties.retentionInDays, isOwn: !table.properties.retentionInDaysAsDefault, pending: table.properties.pending };
  });
  return [...lines, rows.length === 0 ? 'No tables yet.' : tableOf(rows, COLUMNS)].join('\n');
}

function waits({ retentionInDays, effectiveAt }: ShownPending): string {
  return `${retentionInDays} days from ${effectiveAt ?? 'the time when the lock is lifted'}`;
}

function stateOf({ table, workspace }: Place, shown: unknown): string {
  const { retentionInDays, pending } = (shown as ShownTable | ShownWorkspace).properties;
  return `${table ?? `Workspace ${workspace}`} is kept ${retentionInDays} days${pending ? `; ${waits(pending)}` : ''}.`;
}

function targetPath({ table }: Place): string {
  return table === undefined ? '' : `/tables/${encodeURIComponent(table)}`;
}

function ask({ data, workspace }: Place, method: ControlRequest['method'], path: string, body?: unknown): Promise<unknown> {
  return askControl(data, { method, path: `/workspaces/${workspace}${path}`, body });
}

function inWorkspace(name: string, description: string): Command {
  return subcommand(name, description).requiredOption('--workspace <guid>', 'whose', toWorkspace);
}
