import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { CreatedKey } from '../control/api.ts';
import { readSecretFile } from '../files.ts';
import type { EnrolmentKey } from '../management-group/enrolment-keys.ts';
import type { Column } from '../table.ts';
import { readDuration } from '../units.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

const COLUMNS: readonly Column<EnrolmentKey>[] = [
  ['NAME', (key) => key.name],
  ['ID', (key) => key.id],
  ['WORKSPACE', (key) => key.workspaceId],
  ['STATE', (key) => stateOf(key)],
  ['USES', (key) => key.uses],
  ['USES LEFT', (key) => (key.maxUses === undefined ? 'any' : Math.max(0, key.maxUses - key.uses))],
  ['CREATED', (key) => moment(key.createdAt)],
  ['EXPIRES', (key) => moment(key.expiresAt)],
];

interface CreateFlags extends SocketFlags {
  readonly workspace: string;
  readonly name: string;
  readonly expires?: number;
  readonly uses?: number;
  readonly keyFile?: string;
  readonly out?: string;
}

/** `relay enrolment-key create | list | revoke`. A key is printed once, at its creation, or written to a file that only its owner may read. */
export function enrolmentKeyCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const create = relayCommand('create', 'make a key that machines enrol with')
    .requiredOption('--workspace <guid>', 'the workspace that these machines belong to')
    .requiredOption('--name <name>', 'what to call it')
    .option('--expires <duration>', 'good for so long, such as 7d', toDuration)
    .option('--uses <number>', 'good for so many enrolments', toCount)
    .option('--key-file <file>', 'take the key in this file (base64) instead of making one: the one that agents have already')
    .option('--out <file>', 'write the key to this file, mode 0600, instead of printing it')
    .action((flags: CreateFlags) => createKey(flags, parts));
  const list = relayCommand('list', 'list the keys, without the keys themselves').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    printRows(output, await get<EnrolmentKey[]>('/enrolment-keys'), COLUMNS, 'No enrolment keys.');
  });
  const revoke = relayCommand('revoke', 'let no more machines enrol with a key; those enrolled stay')
    .argument('<name>', 'its name or id')
    .action(async (name: string, flags: SocketFlags) => {
      const session = await openSession(flags, parts);
      const revoked = await session.delete(`/enrolment-keys/${encodeURIComponent(name)}`);
      printValue(session.output, revoked, `The enrolment key ${name} is revoked.`);
    });
  return new Command('enrolment-key').description('the keys that machines enrol with').addCommand(create).addCommand(list).addCommand(revoke);
}

async function createKey(flags: CreateFlags, parts: SessionParts): Promise<void> {
  const { post, output } = await openSession(flags, parts);
  const created = await post<CreatedKey>('/enrolment-keys', {
    name: flags.name,
    workspaceId: flags.workspace,
    ...(flags.expires === undefined ? {} : { expiresAt: Date.now() + flags.expires }),
    maxUses: flags.uses,
    ...(flags.keyFile === undefined ? {} : { key: await readSecretFile(flags.keyFile, (message) => process.stderr.write(`${message}\n`)) }),
  });
  if (flags.out === undefined)
    return printValue(output, created, flags.keyFile === undefined ? created.secret : `The enrolment key ${flags.name} was taken from ${flags.keyFile}.`);
  await writeNew(flags.out, `${created.secret}\n`);
  printValue(output, created.enrolmentKey, `The enrolment key ${flags.name} is in ${flags.out}.`);
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new CommandFailure(EXIT.failed, `The key was made, but ${path} could not be written. Revoke it and make another.`, { cause });
  }
}

function toDuration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('A duration such as 12h or 7d.');
  return ms;
}

function toCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A number from 1 to 999999.');
}

function stateOf(key: EnrolmentKey): string {
  if (key.revokedAt !== undefined) return 'revoked';
  if (key.maxUses !== undefined && key.uses >= key.maxUses) return 'used up';
  return key.expiresAt !== undefined && key.expiresAt <= Date.now() ? 'expired' : 'usable';
}
