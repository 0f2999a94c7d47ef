import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readAuditKey } from '../audit/audit-key.ts';
import type { AuditEntry, Head } from '../audit/line.ts';
import { readEntries } from '../audit/read.ts';
import { type AuditFault, verifyAuditLog } from '../audit/verify.ts';
import type { Environment } from '../configuration/environment.ts';
import { loadConfiguration } from '../configuration/load.ts';
import type { Column } from '../table.ts';
import { readDuration } from '../units.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

/** Entries of an audit log. */
export const AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  ['NUMBER', (entry) => entry.number],
  ['TIME', (entry) => entry.at.slice(0, 19).replace('T', ' ')],
  ['WHO', ({ actor }) => (actor.kind === 'operator' ? actor.name : `${actor.kind} ${actor.name}`)],
  ['ACTION', (entry) => entry.action],
  ['ON', (entry) => entry.on],
  ['FROM', (entry) => entry.from],
  ['RESULT', (entry) => entry.result],
  ['DETAIL', (entry) => entry.detail ?? ''],
];

interface ListFlags extends SocketFlags {
  readonly last: number;
  readonly since?: number;
  readonly action?: string;
  readonly on?: string;
  readonly data?: string;
}

interface VerifyFlags {
  readonly config?: string;
  readonly data?: string;
  readonly keyFile?: string;
  readonly head?: Head;
  readonly json?: boolean;
}

/** `relay audit list | verify`: who did what, and whether the log is as it was written. */
export function auditCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const list = relayCommand('list', 'list who did what, on what, from where, and what came of it; the oldest first')
    .addOption(new Option('--last <number>', 'so many at most, the youngest').argParser(toCount).default(100))
    .option('--since <time>', 'only those after a time (2026-11-23T08:00Z), or of a duration until now (24h)', toMoment)
    .option('--action <action>', 'only this action, or all of one noun: agent.approve, agent')
    .option('--on <text>', 'only those on something whose name holds this text')
    .option('--data <folder>', 'read the files of this data folder instead of asking a running relay')
    .action((flags: ListFlags) => listEntries(flags, parts));
  const verify = new Command('verify')
    .description('say whether the log is as it was written, from its files alone; no relay needs to run')
    .option('--config <file>', 'the configuration file, which says where the data folder is')
    .option('--data <folder>', "the relay's data folder, instead of the configuration's")
    .option('--key-file <file>', 'the key that seals the lines, instead of audit.keyFile')
    .option('--head <number:seal>', 'a last line that was noted elsewhere, such as in the journal: it must be there', toHead)
    .option('--json', 'as JSON')
    .action((flags: VerifyFlags) => verifyLog(flags, parts));
  return new Command('audit').description('who did what').addCommand(list).addCommand(verify);
}

async function listEntries(flags: ListFlags, parts: SessionParts): Promise<void> {
  const { last, since, action, on } = flags;
  const entries = flags.data === undefined ? await askForEntries(flags, parts) : await readEntries(join(flags.data, 'audit'), { last, since, action, on });
  printRows(parts.outputFor(flags.json ?? false), entries, AUDIT_COLUMNS, 'No entries.');
}

async function askForEntries(flags: ListFlags, parts: SessionParts): Promise<AuditEntry[]> {
  const { get } = await openSession(flags, parts);
  const wanted = { last: flags.last, since: flags.since, action: flags.action, on: flags.on };
  const given = Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]));
  return await get<AuditEntry[]>(`/audit?${new URLSearchParams(given)}`);
}

async function verifyLog(flags: VerifyFlags, { env, outputFor }: SessionParts): Promise<void> {
  const { folder, keyFile } = await placeOf(flags, env);
  await printVerification({ folder, keyFile: flags.keyFile ?? keyFile, head: flags.head }, outputFor(flags.json ?? false));
}

interface Verified {
  readonly folder: string;
  readonly keyFile: string;
  /** A last line that must be there. */
  readonly head: Head | undefined;
}

/** Verifies an audit log and prints what was found. Throws `CommandFailure` when it is not as it was written. */
export async function printVerification({ folder, keyFile, head: expected }: Verified, output: Output): Promise<void> {
  const found = await verifyAuditLog(folder, await readAuditKey(keyFile), expected);
  const { fault, lines, head, remarks } = found;
  const verdict = fault ? sentenceOf(fault, folder) : `${lines} lines are as they were written. The last one: --head ${head.number}:${head.seal}`;
  printValue(output, found, [verdict, ...remarks.map((remark) => `note: ${remark}`)].join('\n'));
  if (fault) throw new CommandFailure(EXIT.failed, `The audit log is not as it was written: ${fault.fault}, line ${fault.number}.`);
}

async function placeOf({ config, data }: VerifyFlags, env: Environment): Promise<{ readonly folder: string; readonly keyFile: string }> {
  if (data !== undefined) return { folder: resolve(data, 'audit'), keyFile: resolve(data, 'keys', 'audit.key') };
  const configuration = await loadConfiguration({ file: config, env });
  return { folder: join(configuration.data, 'audit'), keyFile: configuration.audit.keyFile };
}

function sentenceOf({ fault, number, file, place, message }: AuditFault, folder: string): string {
  return `${fault}: line ${number} (${join(folder, file)}${place === undefined ? '' : `, line ${place} of the file`}): ${message}.`;
}

/** Reads an option that says how many entries, 1 to 10000. */
export function toCount(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 10_000) throw new InvalidArgumentError('A number from 1 to 10000.');
  return count;
}

/** Reads an option that is a time, or a duration until now; milliseconds since 1970. */
export function toMoment(text: string): number {
  const ms = readDuration(text);
  const moment = ms === undefined ? Date.parse(text) : Date.now() - ms;
  if (Number.isNaN(moment)) throw new InvalidArgumentError('A time such as 2026-11-23T08:00Z, or a duration such as 24h.');
  return moment;
}

/** Reads an option that is a line's number and seal. */
export function toHead(text: string): Head {
  const [, number, seal] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (number === undefined || seal === undefined) throw new InvalidArgumentError('The number and the seal of a line, as verify prints them.');
  return { number: Number(number), seal };
}
