import { type Command, Option } from 'commander';
import { askControl } from '../local-workspace/control/control-client.ts';
import { followRecords } from '../local-workspace/control/follow.ts';
import { listDatabases, openDatabaseToRead } from '../local-workspace/intake/database.ts';
import type { TableCount, TableRow } from '../local-workspace/intake/ingestion/call.ts';
import { createReceiptReader, type DuplicateCount, type ReceiptReader } from '../local-workspace/intake/receipt-reader.ts';
import { MAX_QUERY_RECORDS, type RecordFilter, type StoredRecord, type StoredRecords } from '../local-workspace/intake/stored-records.ts';
import type { DataCount } from '../local-workspace/intake/upload.ts';
import type { Column } from '../table.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { subcommand, toTime, toWorkspace, untilSignalled, wholeNumber } from './local-workspace-options.ts';
import { ROW_COLUMNS, readTables, TABLE_COLUMNS } from './local-workspace-tables.ts';
import { createOutput, printRows, printValue } from './output.ts';

const COUNT_COLUMNS: readonly Column<DataCount>[] = [
  ['WORKSPACE', (row) => row.workspaceId],
  ['DATA TYPE', (row) => row.dataType],
  ['BATCHES', (row) => row.batches],
  ['DIRECT', (row) => row.direct],
  ['DISTINCT', (row) => row.distinctBatches],
  ['REPEATED', (row) => row.repeated],
  ['RECORDS', (row) => row.records],
  ['BYTES', (row) => row.bytes],
];

const DUPLICATE_COLUMNS: readonly Column<DuplicateCount>[] = [
  ['WORKSPACE', (row) => row.workspaceId],
  ['DATA TYPE', (row) => row.dataType],
  ['BATCHES', (row) => row.batches],
  ['SAME ID', (row) => row.sameId],
  ['SAME CONTENT', (row) => row.sameContent],
  ['RECORDS', (row) => row.records],
];

const RECORD_COLUMNS: readonly Column<StoredRecord>[] = [
  ['RECEIVED', (row) => row.receivedAt],
  ['AGENT', (row) => row.agentId],
  ['WAY', (row) => row.way],
  ['DATA TYPE', (row) => row.dataType],
  ['DATA', (row) => JSON.stringify(row.data)],
];

interface CountOptions {
  readonly data: string;
  readonly workspace?: WorkspaceId;
  readonly live: boolean;
  readonly duplicates: boolean;
  readonly tables: boolean;
  readonly json: boolean;
}

/** `relay local-workspace count`: from the database files, or from the running process. */
export function countCommand(): Command {
  return subcommand('count', 'how much each workspace has, by data type')
    .option('--workspace <guid>', 'only this one', toWorkspace)
    .option('--live', 'ask the running process; needed when it was started with --sink', false)
    .addOption(new Option('--duplicates', 'what came more than once: by batch id, and by the hash of the content').conflicts('live').default(false))
    .addOption(new Option('--tables', 'what came by Logs Ingestion, by table').conflicts('duplicates').default(false))
    .action(async ({ data, workspace, live, duplicates, tables, json }: CountOptions) => {
      if (tables) return printRows(createOutput(json), await tablesOf(data, workspace, live), TABLE_COLUMNS, 'No rows yet.');
      if (duplicates) {
        const rows = await inEach(data, workspace, (reader) => reader.duplicates());
        return printRows(createOutput(json), rows, DUPLICATE_COLUMNS, 'No data yet.');
      }
      const rows = live ? await countLive(data, workspace) : await inEach(data, workspace, (reader) => reader.count());
      printRows(createOutput(json), rows, COUNT_COLUMNS, 'No data yet.');
    });
}

async function tablesOf(data: string, workspace: WorkspaceId | undefined, live: boolean): Promise<TableCount[]> {
  if (live) return (await askControl(data, { method: 'GET', path: workspace ? `/tables?workspace=${workspace}` : '/tables' })) as TableCount[];
  const ids = workspace ? [workspace] : await listDatabases(data);
  return ids.flatMap((id) => readTables(data, id, (reader) => reader.count()));
}

async function countLive(data: string, workspace: WorkspaceId | undefined): Promise<DataCount[]> {
  return (await askControl(data, { method: 'GET', path: workspace ? `/count?workspace=${workspace}` : '/count' })) as DataCount[];
}

async function inEach<Row>(data: string, workspace: WorkspaceId | undefined, read: (reader: ReceiptReader) => readonly Row[]): Promise<Row[]> {
  const ids = workspace ? [workspace] : await listDatabases(data);
  const rows = await Promise.all(ids.map((id) => withReader(data, id, read)));
  return rows.flat();
}

interface FilterOptions {
  readonly data: string;
  readonly workspace: WorkspaceId;
  readonly dataType?: string;
  readonly where?: string;
  readonly json: boolean;
}

/** `relay local-workspace records`: from the running process, which alone has the keys. */
export function recordsCommand(): Command {
  return withFilter(subcommand('records', 'the newest records as they came, the oldest of them first'))
    .option('--since <time>', 'received then or later, such as 2026-11-23T08:00:00Z', toTime)
    .option('--limit <count>', 'how many at most', wholeNumber(1, MAX_QUERY_RECORDS), 100)
    .addOption(new Option('--table <name>', 'rows of this table instead, which Logs Ingestion filled').conflicts('dataType'))
    .action(async (options: FilterOptions & { readonly since?: string; readonly limit: number; readonly table?: string }) => {
      const { data, workspace, table, json } = options;
      if (table !== undefined) {
        const found = (await ask(data, 'rows', { workspace, table, since: options.since, where: options.where, limit: options.limit })) as TableRow[];
        return printRows(createOutput(json), found, ROW_COLUMNS, 'No such row.');
      }
      const rows = await recordsOf(data, workspace).newest(options);
      printRows(createOutput(options.json), rows, RECORD_COLUMNS, 'No such record.');
    });
}

/** `relay local-workspace tail`: from the running process, again and again. */
export function tailCommand(): Command {
  return withFilter(subcommand('tail', 'records as they come, until Ctrl-C; with --json one record a line')).action(async (options: FilterOptions) => {
    const output = createOutput(options.json);
    const show = (record: StoredRecord): void => printValue(output, record, RECORD_COLUMNS.map(([, cell]) => cell(record)).join('  '));
    const signal = untilSignalled();
    await followRecords(recordsOf(options.data, options.workspace), options, show, signal);
  });
}

function withFilter(command: Command): Command {
  return command
    .requiredOption('--workspace <guid>', 'whose records', toWorkspace)
    .option('--data-type <name>', 'only this data type')
    .option('--where <text>', 'only records whose JSON holds this text');
}

function recordsOf(data: string, workspace: WorkspaceId): StoredRecords {
  const find = async (path: string, { dataType, since, where, limit }: RecordFilter, more = {}): Promise<StoredRecord[]> =>
    (await ask(data, path, { workspace, dataType, since, where, limit, ...more })) as StoredRecord[];
  return {
    newest: (filter) => find('query', filter),
    following: ({ seq, row }, filter) => find('following', filter, { seq, row }),
  };
}

function ask(data: string, path: string, query: Readonly<Record<string, string | number | undefined>>): Promise<unknown> {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]]));
  return askControl(data, { method: 'GET', path: `/${path}?${new URLSearchParams(given)}` });
}

async function withReader<Result>(data: string, id: WorkspaceId, read: (reader: ReceiptReader) => Result | Promise<Result>): Promise<Result> {
  const database = openDatabaseToRead(data, id);
  try {
    return await read(createReceiptReader(database, id));
  } finally {
    database.close();
  }
}
