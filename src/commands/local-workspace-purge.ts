import { setTimeout as waitAwake } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { askControl } from '../local-workspace/control/control-client.ts';
import { FILTER_FORMS, readFilterText } from '../local-workspace/retention/filter-text.ts';
import type { ShownOperation, TakenOperation } from '../local-workspace/retention/operation-routes.ts';
import type { PurgeFilter } from '../local-workspace/retention/purge-request.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { askPerson, type Confirm } from './confirm.ts';
import { subcommand, toWorkspace } from './local-workspace-options.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';

const LOOK_AGAIN_MS = 1_000;

/** What the commands that remove rows need besides their flags. */
export interface RemovalParts {
  readonly outputFor?: (json: boolean) => Output;
  readonly confirm?: Confirm;
  /** Waits so many milliseconds; with a timer that keeps the process alive unless given. */
  readonly pause?: (ms: number) => Promise<void>;
}

interface Place {
  readonly data: string;
  readonly json: boolean;
  readonly workspace: WorkspaceId;
}

interface RemovalFlags extends Place {
  readonly wait: boolean;
  readonly yes: boolean;
}

/** `relay local-workspace purge <table> | purge status <operation>`: rows that match go for good. */
export function purgeCommand(parts: RemovalParts = {}): Command {
  const request = removal('request', 'remove the rows of a table that match all filters, for good (the word "request" can be left out)')
    .argument('<table>', 'as its name is written')
    .requiredOption('--filter <text...>', FILTER_FORMS, collectFilters)
    .action(async (table: string, { filter: filters, ...flags }: RemovalFlags & { readonly filter: readonly PurgeFilter[] }) => {
      const columns = filters.map(({ column, operator, key }) => `${column}${key === undefined ? '' : `[${key}]`} ${operator} …`).join(' and ');
      await confirmed(flags, parts, `This removes the rows of ${table} with ${columns} for good. It cannot be cancelled. Purge them?`);
      await follow(flags, parts, await askControl(flags.data, { method: 'POST', path: pathOf(flags, '/purge'), body: { table, filters } }));
    });
  const status = inWorkspace('status', 'whether an operation is completed')
    .argument('<operation>', 'its id, such as purge-3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f')
    .action(async (operationId: string, place: Place) => print(parts, place, operationId, await lookUp(place, operationId)));
  return new Command('purge').description('remove rows for good, and ask what became of it').addCommand(request, { isDefault: true }).addCommand(status);
}

/** `relay local-workspace table delete`: a custom table, with all its rows. */
export function tableCommand(parts: RemovalParts = {}): Command {
  const remove = removal('delete', 'delete a custom table (its name ends with _CL) with all its rows, for good')
    .argument('<table>', 'as its name is written')
    .action(async (table: string, flags: RemovalFlags) => {
      await confirmed(flags, parts, `This deletes table ${table} with all its rows for good. It cannot be cancelled. Delete it?`);
      const name = encodeURIComponent(table);
      await follow(flags, parts, await askControl(flags.data, { method: 'DELETE', path: pathOf(flags, `/tables/${name}?confirm=${name}`) }));
    });
  return new Command('table').description('tables as a whole').addCommand(remove);
}

async function confirmed({ yes }: RemovalFlags, parts: RemovalParts, question: string): Promise<void> {
  const confirm: Confirm = parts.confirm ?? askPerson;
  if (!yes && !(await confirm(question))) throw new CommandFailure(EXIT.failed, 'Nothing was removed. Without a person to ask, add --yes.');
}

async function follow(flags: RemovalFlags, parts: RemovalParts, taken: unknown): Promise<void> {
  const { pause = waitAwake, outputFor = createOutput } = parts;
  const { operationId, note } = taken as TakenOperation;
  if (!flags.wait)
    return printValue(outputFor(flags.json), taken, `${operationId} is taken. ${note}\nTo see what became of it: relay local-workspace purge status`);
  let shown = await lookUp(flags, operationId);
  while (shown.status === 'pending') {
    await pause(LOOK_AGAIN_MS);
    shown = await lookUp(flags, operationId);
  }
  print(parts, flags, operationId, shown);
}

function print({ outputFor = createOutput }: RemovalParts, { json }: Place, operationId: string, shown: ShownOperation): void {
  const { status, table, requestedAt, requestedBy, completedAt, removedRows } = shown;
  const rows = removedRows === undefined ? '' : `, ${removedRows} rows removed`;
  const text = `${operationId} on ${table}, requested ${requestedAt} by ${requestedBy}, is ${status}${completedAt === undefined ? '' : ` since ${completedAt}`}${rows}.`;
  printValue(outputFor(json), { operationId, ...shown }, text);
}

async function lookUp(place: Place, operationId: string): Promise<ShownOperation> {
  return (await askControl(place.data, { method: 'GET', path: pathOf(place, `/operations/${encodeURIComponent(operationId)}`) })) as ShownOperation;
}

function pathOf({ workspace }: Place, path: string): string {
  return `/workspaces/${workspace}${path}`;
}

function removal(name: string, description: string): Command {
  return inWorkspace(name, description).option('--wait', 'until it is completed', false).option('--yes', 'do not ask', false);
}

function inWorkspace(name: string, description: string): Command {
  return subcommand(name, description).requiredOption('--workspace <guid>', 'whose', toWorkspace);
}

function collectFilters(text: string, before: readonly PurgeFilter[] | undefined): PurgeFilter[] {
  const filter = readFilterText(text);
  if (filter) return [...(before ?? []), filter];
  throw new InvalidArgumentError(`It must be one of: ${FILTER_FORMS}.`);
}
