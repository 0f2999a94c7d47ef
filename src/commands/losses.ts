import { Command } from 'commander';
import type { LossEntry } from '../cache/loss.ts';
import type { Environment } from '../configuration/environment.ts';
import type { Column } from '../table.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printRows } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';

const COLUMNS: readonly Column<LossEntry>[] = [
  ['WORKSPACE', (entry) => entry.workspaceId],
  ['KIND', (entry) => entry.kind],
  ['DATA TYPE', (entry) => entry.dataType],
  ['AGENT', (entry) => entry.agentId],
  ['REASON', (entry) => entry.reason],
  ['BATCHES', (entry) => entry.batches],
  ['RECORDS', (entry) => (entry.uncountedBatches === 0 ? entry.records : `${entry.records}+`)],
  ['BYTES', (entry) => entry.bytes],
  ['RECEIVED FROM', (entry) => moment(entry.firstAt)],
  ['TO', (entry) => moment(entry.lastAt)],
  ['REPORTED', (entry) => (entry.reported ? 'yes' : 'no')],
];

/** `relay losses list`: what was given up, whose, why, and whether its workspace has been told. */
export function lossesCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const list = relayCommand('list', 'list what was given up; a + behind the records means that some could not be counted')
    .option('--workspace <id>', 'only of this workspace; the beginning of its id is enough')
    .action(async (flags: SocketFlags & { readonly workspace?: string }) => {
      const { get, output } = await openSession(flags, { env, outputFor });
      const wanted = flags.workspace?.toLowerCase() ?? '';
      const entries = (await get<LossEntry[]>('/losses')).filter(({ workspaceId }) => workspaceId.startsWith(wanted));
      printRows(output, entries, COLUMNS, 'Nothing was lost.');
    });
  return new Command('losses').description('data that was given up').addCommand(list);
}
