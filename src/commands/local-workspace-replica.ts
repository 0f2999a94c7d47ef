import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import { workspaceFolder } from '../local-workspace/intake/database.ts';
import { checkReplica, type ReplicaFault, type ReplicaReport } from '../local-workspace/replica/check-replica.ts';
import { linkReplica } from '../local-workspace/replica/marks.ts';
import type { ShownReplica, VerifyProgress, VerifyReplicaRequest } from '../local-workspace/replica/requests.ts';
import { takeOver } from '../local-workspace/replica/take-over.ts';
import { checkTargetIsNew } from '../local-workspace/replica/workspace/adopt.ts';
import { type Column, tableOf } from '../table.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { AskWorkspace } from './local-workspace-export.ts';
import { subcommand, toWorkspace } from './local-workspace-options.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';

const POLL_MS = 500;

const STATE_COLUMNS: readonly Column<ShownReplica>[] = [
  ['WORKSPACE', (row) => row.workspace],
  ['REPLICA', (row) => row.folder],
  ['STATUS', (row) => row.status],
  ['SINCE', (row) => moment(row.since)],
  ['EPOCH', (row) => row.epoch],
  ['WAITING FILES', (row) => row.waitingFiles],
  ['DAMAGED FILES', (row) => row.damagedFiles],
  ['CATALOGUE', (row) => moment(row.catalogueAt)],
  ['REASON', (row) => row.reason ?? ''],
];

const FAULT_COLUMNS: readonly Column<ReplicaFault>[] = [
  ['FAULT', (row) => row.fault],
  ['PATH', (row) => row.path],
  ['FOUND', (row) => row.message],
];

type OutputFor = (json: boolean) => Output;

/** `relay local-workspace replica`: a workspace's second copy on another disk, and how it takes over. `ask` reaches the running process. */
export function replicaCommand(ask: AskWorkspace, outputFor: OutputFor = createOutput): Command {
  return new Command('replica')
    .description("a workspace's second copy on another disk, and how it takes over")
    .addCommand(linkCommand(outputFor))
    .addCommand(
      subcommand('status', 'whether the copies have everything')
        .option('--workspace <guid>', 'only this one', toWorkspace)
        .action(async ({ data, workspace, json }: { data: string; workspace?: WorkspaceId; json: boolean }) => {
          const path = workspace === undefined ? '/replica' : `/replica?workspace=${workspace}`;
          const none = 'No workspace has a replica. Link a folder, and set replica.folder in the settings.';
          printRows(outputFor(json), (await ask(data, { method: 'GET', path })) as ShownReplica[], STATE_COLUMNS, none);
        }),
    )
    .addCommand(
      subcommand('verify', 'compare every byte of both disks; the local workspace must run')
        .requiredOption('--workspace <guid>', 'whose replica', toWorkspace)
        .option('--repair', 'copy anew what differs on the second disk', false)
        .action(async ({ data, workspace, repair, json }: { data: string; workspace: WorkspaceId; repair: boolean; json: boolean }) => {
          const report = await verified(ask, data, { workspace, repair });
          show(report, outputFor(json));
          if (report.faults.length > 0 && !repair) throw notWhole(report);
        }),
    )
    .addCommand(checkCommand(outputFor))
    .addCommand(takeOverCommand(ask, outputFor));
}

async function verified(ask: AskWorkspace, data: string, body: VerifyReplicaRequest): Promise<ReplicaReport> {
  const path = `/replica/verify?workspace=${body.workspace}`;
  let now = (await ask(data, { method: 'POST', path: '/replica/verify', body })) as VerifyProgress;
  while (now.state === 'running') {
    await pause(POLL_MS);
    now = (await ask(data, { method: 'GET', path })) as VerifyProgress;
  }
  if (now.state === 'done') return now.report;
  throw new CommandFailure(EXIT.failed, now.detail);
}

function linkCommand(outputFor: OutputFor): Command {
  return subcommand('link', 'make an empty folder on another disk the replica; it is filled at the next start')
    .argument('<folder>', 'the folder')
    .requiredOption('--workspace <guid>', 'whose replica', toWorkspace)
    .option('--again', 'also a folder that is the replica of another workspace: its copies are replaced', false)
    .action(async (folder: string, { data, workspace, again, json }: { data: string; workspace: WorkspaceId; again: boolean; json: boolean }) => {
      const dataFolder = workspaceFolder(resolve(data), workspace);
      await makePrivateFolder(dataFolder);
      const mark = await linkReplica({ dataFolder, folder: resolve(folder), newId: randomUUID, again });
      const next = `Set replica.folder to it in the settings of workspace ${workspace}, and restart the local workspace to fill it.`;
      printValue(outputFor(json), mark, `${resolve(folder)} is the replica of ${dataFolder} (epoch ${mark.epoch}). ${next}`);
    });
}

function checkCommand(outputFor: OutputFor): Command {
  return new Command('check')
    .description('say whether a replica is whole, by its own notes; nothing needs to run')
    .argument('<folder>', 'the replica')
    .option('--json', 'one JSON value on one line', false)
    .action(async (folder: string, { json }: { json: boolean }) => {
      const report = await checkReplica(resolve(folder));
      show(report, outputFor(json));
      if (report.faults.length > 0) throw notWhole(report);
    });
}

interface TakeOverFlags {
  readonly workspace: WorkspaceId;
  readonly to: string;
  readonly oldData?: string;
  readonly force: boolean;
  readonly json: boolean;
}

function takeOverCommand(ask: AskWorkspace, outputFor: OutputFor): Command {
  return new Command('take-over')
    .description('make a workspace of a replica, in another data folder, and shut the old one out')
    .argument('<folder>', 'the replica')
    .requiredOption('--workspace <guid>', 'the workspace that it is a copy of', toWorkspace)
    .requiredOption('--to <folder>', 'the new data folder; it must not have this workspace yet')
    .option('--old-data <folder>', 'the old data folder, where it can still be reached: it is told')
    .option('--force', 'although the old one was in use a minute ago: its machine is known to be gone', false)
    .option('--json', 'one JSON value on one line', false)
    .action(async (folder: string, { workspace, to, oldData, force, json }: TakeOverFlags) => {
      checkTargetIsNew(resolve(to), workspace);
      const outcome = await takeOver({
        replicaFolder: resolve(folder),
        toFolder: workspaceFolder(resolve(to), workspace),
        oldDataFolder: oldData === undefined ? undefined : workspaceFolder(resolve(oldData), workspace),
        isRunning: () => isRunning(ask, resolve(oldData ?? to)),
        force,
        nowMs: Date.now(),
        newId: randomUUID,
      });
      const output = outputFor(json);
      if (outcome.outcome === 'damaged') {
        show(outcome.report, output);
        throw new CommandFailure(EXIT.failed, 'The replica was not taken over, because it is not whole. Restore what is named above from another copy.');
      }
      const keys = `Bring ${resolve(to)}/keys from a backup, then start: relay local-workspace start --data ${resolve(to)} --workspace ${workspace}`;
      const text = `${resolve(to)} has workspace ${workspace} now (epoch ${outcome.epoch}): ${outcome.files} files. ${keys}`;
      printValue(output, outcome, text);
    });
}

async function isRunning(ask: AskWorkspace, dataFolder: string): Promise<boolean> {
  try {
    await ask(dataFolder, { method: 'GET', path: '/replica' });
    return true;
  } catch (error) {
    return !(error instanceof RelayError && error.code === 'relay.control.not-running');
  }
}

function show(report: ReplicaReport, output: Output): void {
  const whole = `${report.files} files, ${report.bytes} bytes: all as they ought to be.`;
  printValue(output, report, report.faults.length === 0 ? whole : tableOf(report.faults, FAULT_COLUMNS));
}

function notWhole({ faults }: ReplicaReport): CommandFailure {
  return new CommandFailure(EXIT.failed, `The replica is not what it ought to be: ${faults.length} faults.`);
}
