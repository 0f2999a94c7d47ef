import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { RelayError } from '../errors.ts';
import { checkReplica, type ReplicaFault, type ReplicaReport } from '../local-workspace/replica/check-replica.ts';
import { linkReplica } from '../local-workspace/replica/marks.ts';
import type { ReplicaState } from '../local-workspace/replica/replica.ts';
import type { VerifyReplicaRequest } from '../local-workspace/replica/requests.ts';
import { takeOver } from '../local-workspace/replica/take-over.ts';
import { type Column, tableOf } from '../table.ts';
import type { AskWorkspace } from './local-workspace-export.ts';
import { subcommand } from './local-workspace-options.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';

const STATE_COLUMNS: readonly Column<ReplicaState>[] = [
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

/** `relay local-workspace replica`: a second copy on another disk, and how it takes over. `ask` reaches the running process. */
export function replicaCommand(ask: AskWorkspace, outputFor: OutputFor = createOutput): Command {
  return new Command('replica')
    .description('a second copy on another disk, and how it takes over')
    .addCommand(linkCommand(outputFor))
    .addCommand(
      subcommand('status', 'whether the copy has everything').action(async ({ data, json }: { data: string; json: boolean }) => {
        printRows(outputFor(json), [(await ask(data, { method: 'GET', path: '/replica' })) as ReplicaState], STATE_COLUMNS, '');
      }),
    )
    .addCommand(
      subcommand('verify', 'compare every byte of both disks; the local workspace must run')
        .option('--repair', 'copy anew what differs on the second disk', false)
        .action(async ({ data, repair, json }: { data: string; repair: boolean; json: boolean }) => {
          const body: VerifyReplicaRequest = { repair };
          const report = (await ask(data, { method: 'POST', path: '/replica/verify', body })) as ReplicaReport;
          show(report, outputFor(json));
          if (report.faults.length > 0 && !repair) throw notWhole(report);
        }),
    )
    .addCommand(checkCommand(outputFor))
    .addCommand(takeOverCommand(ask, outputFor));
}

function linkCommand(outputFor: OutputFor): Command {
  return subcommand('link', 'make an empty folder on another disk the replica; it is filled at the next start')
    .argument('<folder>', 'the folder')
    .option('--again', 'also a folder that is the replica of another data folder: its copies are replaced', false)
    .action(async (folder: string, { data, again, json }: { data: string; again: boolean; json: boolean }) => {
      const mark = await linkReplica({ dataFolder: resolve(data), folder: resolve(folder), newId: randomUUID, again });
      printValue(outputFor(json), mark, `${resolve(folder)} is the replica of ${resolve(data)} (epoch ${mark.epoch}). Restart the local workspace to fill it.`);
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
  readonly to: string;
  readonly oldData?: string;
  readonly force: boolean;
  readonly json: boolean;
}

function takeOverCommand(ask: AskWorkspace, outputFor: OutputFor): Command {
  return new Command('take-over')
    .description('make a data folder of a replica, and shut the old one out')
    .argument('<folder>', 'the replica')
    .requiredOption('--to <folder>', 'the new data folder; it must not be there yet')
    .option('--old-data <folder>', 'the old data folder, where it can still be reached: it is told')
    .option('--force', 'although the old one was in use a minute ago: its machine is known to be gone', false)
    .option('--json', 'one JSON value on one line', false)
    .action(async (folder: string, { to, oldData, force, json }: TakeOverFlags) => {
      const outcome = await takeOver({
        replicaFolder: resolve(folder),
        toFolder: resolve(to),
        oldDataFolder: oldData === undefined ? undefined : resolve(oldData),
        isRunning: (dataFolder) => isRunning(ask, dataFolder),
        force,
        nowMs: Date.now(),
        newId: randomUUID,
      });
      const output = outputFor(json);
      if (outcome.outcome === 'damaged') {
        show(outcome.report, output);
        throw new CommandFailure(EXIT.failed, 'The replica was not taken over, because it is not whole. Restore what is named above from another copy.');
      }
      const text = `${resolve(to)} is the data folder now (epoch ${outcome.epoch}): ${outcome.files} files. Start it with: relay local-workspace start --data ${resolve(to)}`;
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
