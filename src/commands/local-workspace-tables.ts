import { randomBytes, randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { MAX_CALL_BYTES } from '../ingestion-protocol/service.ts';
import { askControl } from '../local-workspace/control/control-client.ts';
import { openDatabaseToRead } from '../local-workspace/intake/database.ts';
import type { TableCount, TableRow } from '../local-workspace/intake/ingestion/call.ts';
import type { ShownRule } from '../local-workspace/intake/ingestion/control-routes.ts';
import { readDeclarationFile } from '../local-workspace/intake/ingestion/declaration-file.ts';
import { type ExampleIds, exampleDeclaration } from '../local-workspace/intake/ingestion/example.ts';
import { createTableReader, type TableReader } from '../local-workspace/intake/ingestion/table-reader.ts';
import { createLogger } from '../logger.ts';
import type { Column } from '../table.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { subcommand, toWorkspace } from './local-workspace-options.ts';
import { createOutput, printRows } from './output.ts';

/** What Logs Ingestion brought, a line for each table. `FILL` is the mean share of the largest call. */
export const TABLE_COLUMNS: readonly Column<TableCount>[] = [
  ['WORKSPACE', (row) => row.workspaceId],
  ['TABLE', (row) => row.table],
  ['CALLS', (row) => row.calls],
  ['ROWS', (row) => row.rows],
  ['WIRE BYTES', (row) => row.wireBytes],
  ['RAW BYTES', (row) => row.rawBytes],
  ['FILL', (row) => `${((100 * row.wireBytes) / (row.calls * MAX_CALL_BYTES)).toFixed(1)} %`],
];

/** Rows of one table. */
export const ROW_COLUMNS: readonly Column<TableRow>[] = [
  ['RECEIVED', (row) => row._TimeReceived],
  ['TIME GENERATED', (row) => row.TimeGenerated],
  ['ROW', ({ _TimeReceived, TimeGenerated, ...columns }) => JSON.stringify(columns)],
];

const RULE_COLUMNS: readonly Column<ShownRule>[] = [
  ['RULE', (row) => row.immutableId],
  ['WORKSPACE', (row) => row.workspaceId],
  ['APPS', (row) => row.allowedApps.join(' ')],
  ['STREAMS', (row) => row.streams.map(({ name, table }) => `${name} → ${table}`).join(', ')],
];

/** Reads the tables of one workspace from its file; the process need not run. */
export function readTables<Result>(data: string, id: WorkspaceId, read: (reader: TableReader) => Result): Result {
  const database = openDatabaseToRead(data, id);
  try {
    return read(createTableReader(database, id));
  } finally {
    database.close();
  }
}

interface RuleOptions {
  readonly data: string;
  readonly json: boolean;
}

/** `relay local-workspace rule`: the data collection rules of the running process. */
export function ruleCommand(): Command {
  return new Command('rule')
    .description('the data collection rules of the running one, and the apps that may sign in')
    .addCommand(
      new Command('example')
        .description('a file to begin with: one app with a new secret, and a rule for what Linux agents send')
        .requiredOption('--workspace <guid>', 'whose tables', toWorkspace)
        .action(({ workspace }: { workspace: WorkspaceId }) => {
          createOutput(false).line(JSON.stringify(exampleDeclaration(workspace, newIds()), undefined, 2));
        }),
    )
    .addCommand(
      subcommand('list', 'rules, the apps allowed on them, their streams and tables').action(async ({ data, json }: RuleOptions) => {
        showRules(await askControl(data, { method: 'GET', path: '/rules' }), json);
      }),
    )
    .addCommand(
      subcommand('set', 'put the apps and rules of a file in the place of those that it has')
        .argument('<file>', 'JSON, as for start --rules')
        .action(async (file: string, { data, json }: RuleOptions) => {
          showRules(await askControl(data, { method: 'POST', path: '/rules', body: await rulesIn(file) }), json);
        }),
    );
}

function newIds(): ExampleIds {
  const [tenantId, clientId, rule] = [randomUUID(), randomUUID(), randomUUID().replaceAll('-', '')];
  return { tenantId, clientId, rule, secret: randomBytes(24).toString('base64url') };
}

/** What a file of apps and rules declares. */
export function rulesIn(file: string): ReturnType<typeof readDeclarationFile> {
  const log = createLogger('warn', process.stderr);
  return readDeclarationFile(file, (message) => log.warn(message));
}

function showRules(rules: unknown, json: boolean): void {
  printRows(createOutput(json), rules as ShownRule[], RULE_COLUMNS, 'No rules. Give some with: relay local-workspace rule set <file> --data <folder>');
}
