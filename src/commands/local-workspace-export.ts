import { basename, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { messageOf } from '../errors.ts';
import type { ControlRequest } from '../local-workspace/control/control-client.ts';
import type { ExportFault } from '../local-workspace/export/faults.ts';
import { formatHead, readHead } from '../local-workspace/export/manifest-head.ts';
import type { ManifestHead } from '../local-workspace/export/manifest-line.ts';
import type { ExportProgress, ExportRequest, RestoreRequest } from '../local-workspace/export/requests.ts';
import type { TableSum } from '../local-workspace/export/signed-lines.ts';
import { readPublicKeyFile } from '../local-workspace/export/signer.ts';
import { type ExportReport, verifyExport } from '../local-workspace/export/verify.ts';
import { readSmall } from '../local-workspace/private-storage/place/read-file.ts';
import { type Column, tableOf } from '../table.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { subcommand, toTime, toWorkspace } from './local-workspace-options.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';

/** Asks the local workspace that runs on a data folder; its answer's JSON. */
export type AskWorkspace = (dataFolder: string, asked: ControlRequest) => Promise<unknown>;

const PROGRESS_COLUMNS: readonly Column<ExportProgress>[] = [
  ['JOB', (row) => row.job],
  ['STATE', (row) => row.state],
  ['FILES', (row) => row.files],
  ['ROWS', (row) => row.rows],
  ['DETAIL', (row) => row.detail],
];

const TABLE_COLUMNS: readonly Column<TableSum>[] = [
  ['JOB', (row) => row.job],
  ['TABLE', (row) => row.table],
  ['FILES', (row) => row.files],
  ['ROWS', (row) => row.rows],
  ['BYTES', (row) => row.bytes],
  ['FROM', (row) => row.from],
  ['TO', (row) => row.to],
];

const MAX_SHOWN = 20;

interface AskFlags {
  readonly data: string;
  readonly workspace: WorkspaceId;
  readonly table?: string[];
  readonly json: boolean;
}

/** `relay local-workspace export`: copies that nobody can change, and their way back. `ask` reaches the running process. */
export function exportCommand(ask: AskWorkspace, outputFor: (json: boolean) => Output = createOutput): Command {
  const show = (rows: unknown, json: boolean): void => printRows(outputFor(json), rows as ExportProgress[], PROGRESS_COLUMNS, 'Nothing was exported yet.');
  return new Command('export')
    .description('copies of the tables in a folder of yours, signed line by line, and their way back')
    .addCommand(verifyCommand(outputFor))
    .addCommand(
      subcommand('create', 'export what was received in a range; the same range asked for again goes on where it stopped')
        .requiredOption('--workspace <guid>', 'whose tables', toWorkspace)
        .requiredOption('--from <time>', 'received at this time or later (2026-11-29T09:00:00Z)', toTime)
        .requiredOption('--to <time>', 'received before this time', toTime)
        .option('--table <name...>', 'only these tables')
        .action(async ({ data, workspace, from, to, table: tables, json }: AskFlags & { from: string; to: string }) => {
          const body: ExportRequest = { workspace, from, to, tables };
          show(await ask(data, { method: 'POST', path: '/export', body }), json);
        }),
    )
    .addCommand(
      subcommand('restore', 'take back the rows of an export, once all of it is found as it was written')
        .argument('<folder>', "the workspace's folder in the export, which the running process can read")
        .requiredOption('--workspace <guid>', 'the workspace that takes them', toWorkspace)
        .option('--table <name...>', 'only these tables')
        .action(async (folder: string, { data, workspace, table: tables, json }: AskFlags) => {
          const body: RestoreRequest = { workspace, folder: resolve(folder), tables };
          show(await ask(data, { method: 'POST', path: '/export/restore', body }), json);
        }),
    )
    .addCommand(
      subcommand('status', 'how far the exports have come')
        .requiredOption('--workspace <guid>', 'whose exports', toWorkspace)
        .action(async ({ data, workspace, json }: AskFlags) => show(await ask(data, { method: 'GET', path: `/export?workspace=${workspace}` }), json)),
    );
}

interface VerifyFlags {
  readonly publicKey?: string;
  readonly head?: ManifestHead;
  readonly json: boolean;
}

function verifyCommand(outputFor: (json: boolean) => Output): Command {
  return new Command('verify')
    .description('say whether an export is as it was written, from its folder alone; nothing needs to run')
    .argument('<folder>', "the workspace's folder in the export")
    .option('--public-key <file>', 'the public key that was kept elsewhere, instead of the one beside the export')
    .option('--head <number:hash>', 'a last line that was noted elsewhere: it must be there', toHead)
    .option('--json', 'one JSON value on one line', false)
    .action(async (folder: string, { publicKey, head, json }: VerifyFlags) => {
      const report = await verify(resolve(folder), publicKey, head);
      printValue(outputFor(json), report, textOf(report));
      if (report.faults.length > 0)
        throw new CommandFailure(EXIT.failed, `The export is not as it was written: ${report.faults.length + report.moreFaults} faults.`);
    });
}

async function verify(folder: string, keyFile: string | undefined, expectedHead: ManifestHead | undefined): Promise<ExportReport> {
  try {
    return await verifyExport(folder, { publicKey: keyFile === undefined ? undefined : await readKey(keyFile), expectedHead });
  } catch (cause) {
    if (cause instanceof CommandFailure) throw cause;
    throw new CommandFailure(EXIT.failed, `${folder} cannot be read: ${messageOf(cause)}. Give the folder of one workspace in the export.`, { cause });
  }
}

async function readKey(path: string): Promise<NonNullable<ReturnType<typeof readPublicKeyFile>>> {
  const text = (await readSmall(resolve(path), 4_096))?.toString('utf8') ?? '';
  const key = readPublicKeyFile(text);
  if (key) return key;
  throw new CommandFailure(EXIT.usage, `${basename(path)} holds no public key of an export. Give the public-key.pem that was kept when the export began.`);
}

function textOf({ faults, moreFaults, lines, head, fingerprint, tables, remarks }: ExportReport): string {
  const found = faults.slice(0, MAX_SHOWN).map(lineOf);
  const more = faults.length + moreFaults - found.length;
  if (more > 0) found.push(`… and ${more} more; --json has ${faults.length} of them`);
  const verdict = `${lines} files are as they were written. The last line: --head ${formatHead(head)}`;
  const sums = tables.length === 0 ? [] : [tableOf(tables, TABLE_COLUMNS)];
  const key = fingerprint === undefined ? [] : [`key ${fingerprint}`];
  return [...(found.length > 0 ? found : [verdict]), ...sums, ...key, ...remarks.map((remark) => `note: ${remark}`)].join('\n');
}

function lineOf({ fault, number, path, message }: ExportFault): string {
  // Names of files that somebody added may hold anything.
  return `${fault}: ${path}${number === undefined ? '' : ` (line ${number})`}: ${message}.`.replaceAll(/\p{Cc}+/gu, ' ');
}

function toHead(text: string): ManifestHead {
  const head = readHead(text);
  if (head) return head;
  throw new InvalidArgumentError('The number and the hash of a line, as verify prints them.');
}
