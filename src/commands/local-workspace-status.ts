import { Command } from 'commander';
import type { WorkspaceStatus } from '../local-workspace/assembly/status-routes.ts';
import { askControl } from '../local-workspace/control/control-client.ts';
import { type Column, tableOf } from '../table.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { subcommand, toWorkspace } from './local-workspace-options.ts';
import { createOutput, printValue } from './output.ts';

const COLUMNS: readonly Column<WorkspaceStatus['tables'][number]>[] = [
  ['TABLE', (row) => row.table],
  ['ROWS', (row) => row.rows],
  ['BYTES', (row) => row.bytes],
  ['SEGMENTS', (row) => row.segments],
  ['OLDEST', (row) => timeOf(row.oldest)],
  ['NEWEST', (row) => timeOf(row.newest)],
];

interface StatusOptions {
  readonly data: string;
  readonly workspace: WorkspaceId;
  readonly json: boolean;
}

/** `relay local-workspace status`: what waits and what is in the tables. */
export function workspaceStatusCommand(): Command {
  return subcommand('status', 'what a workspace has in its tables, and what waits to be put there')
    .requiredOption('--workspace <guid>', 'which one', toWorkspace)
    .action(async ({ data, workspace, json }: StatusOptions) => {
      const status = (await askControl(data, { method: 'GET', path: `/workspaces/${workspace}/status` })) as WorkspaceStatus;
      printValue(createOutput(json), status, textOf(status));
    });
}

/** `relay local-workspace processing`: stops putting what is staged in the tables, or goes on. Data is taken all the same. */
export function processingCommand(): Command {
  return new Command('processing')
    .description('stop putting what came in the tables, or go on; data is taken all the same')
    .addCommand(switchCommand('stop', 'leave what comes in the staging log', false))
    .addCommand(switchCommand('start', 'put in the tables what is in the staging log, and what comes', true));
}

function switchCommand(name: string, description: string, on: boolean): Command {
  return subcommand(name, description)
    .requiredOption('--workspace <guid>', 'of which one', toWorkspace)
    .action(async ({ data, workspace, json }: StatusOptions) => {
      const status = (await askControl(data, { method: 'POST', path: `/workspaces/${workspace}/processing`, body: { on } })) as WorkspaceStatus;
      printValue(createOutput(json), status, textOf(status));
    });
}

function textOf({ workspaceId, processing, lastSeq, stagedBytes, tables }: WorkspaceStatus): string {
  const work = processing ? 'what comes is put in the tables' : 'processing is stopped: what comes waits in the staging log';
  const head = `${workspaceId}: ${lastSeq} entries taken, ${stagedBytes} bytes in the staging log; ${work}`;
  return tables.length === 0 ? head : `${head}\n${tableOf(tables, COLUMNS)}`;
}

function timeOf(ms: number | undefined): string {
  return ms === undefined ? '' : new Date(ms).toISOString();
}
