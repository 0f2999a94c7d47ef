import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { GroupStatus, MemberStatus } from '../group/status.ts';
import type { CreatedJoinToken } from '../group/steering.ts';
import { roughDuration } from '../rough.ts';
import { type Column, tableOf } from '../table.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';
import { openSession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

interface OwnFlags extends SocketFlags {
  readonly address: string;
  readonly name?: string;
}

/** `relay group init | token | join | members | promote | remove | leave`: several relays as one management group. */
export function groupCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput, now: () => number = Date.now): Command {
  const parts = { env, outputFor, now };
  const command = new Command('group').description('several relays as one management group: the same agents, each with its own cache');
  for (const one of [initCommand, tokenCommand, joinCommand, membersCommand, promoteCommand, removeCommand, leaveCommand]) command.addCommand(one(parts));
  return command;
}

interface Parts extends SessionParts {
  readonly now: () => number;
}

function ownCommand(name: string, description: string): Command {
  return relayCommand(name, description)
    .requiredOption('--address <address>', 'where agents and the other relays reach this one, such as https://relay1.example.org:8443')
    .option('--name <name>', 'what to call this relay (default: its host name)');
}

function initCommand(parts: Parts): Command {
  return ownCommand('init', 'begin a group, with this relay as its primary').action(async ({ address, name, ...flags }: OwnFlags) => {
    const { post, output } = await openSession(flags, parts);
    const status = await post<GroupStatus>('/group', { address, name });
    printValue(output, status, `This relay, ${status.name}, is the primary of a group of its own. Let another join: relay group token`);
  });
}

function tokenCommand(parts: Parts): Command {
  return relayCommand('token', 'make a token that lets one fresh relay join, once, within 15 minutes')
    .option('--out <file>', 'write it to this file, mode 0600, instead of printing it')
    .action(async ({ out, ...flags }: SocketFlags & { out?: string }) => {
      const { post, output } = await openSession(flags, parts);
      const created = await post<CreatedJoinToken>('/group/tokens');
      if (out === undefined) return printValue(output, created, created.token);
      await writeFile(out, `${created.token}\n`, { mode: 0o600, flag: 'wx' });
      printValue(output, { expiresAt: created.expiresAt }, `The token is in ${out}, good until ${moment(created.expiresAt)}.`);
    });
}

function joinCommand(parts: Parts): Command {
  return ownCommand('join', 'have this relay, which has no agents yet, join a group')
    .argument('<token file>', 'the file that holds the token; - reads the standard input')
    .action(async (file: string, { address, name, ...flags }: OwnFlags) => {
      const token = await readToken(file);
      const { post, output } = await openSession(flags, parts);
      const status = await post<GroupStatus>('/group/join', { token: token.trim(), address, name });
      printValue(output, status, `This relay, ${status.name}, is a member of the group. Its primary is ${status.primary.name} at ${status.primary.address}.`);
    });
}

function membersCommand(parts: Parts): Command {
  return relayCommand('members', 'list the relays of the group').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    const status = await get<GroupStatus>('/group');
    printValue(output, status, screenOf(status, parts.now()));
  });
}

function promoteCommand(parts: Parts): Command {
  return relayCommand('promote', 'make this relay the primary; the one before hands over, and becomes a member')
    .option('--primary-lost', 'the primary does not answer and never will: go on without what only it knew')
    .action(async ({ primaryLost, ...flags }: SocketFlags & { primaryLost?: boolean }) => {
      const { post, output } = await openSession(flags, parts);
      const status = await post<GroupStatus>('/group/promote', { primaryLost: primaryLost ?? false });
      printValue(output, status, `This relay, ${status.name}, is the primary now (term ${status.term}).`);
    });
}

function removeCommand(parts: Parts): Command {
  return relayCommand('remove', 'take a relay out of the group: the others refuse it from its next request on')
    .argument('<name>', 'its name or id')
    .action(async (name: string, flags: SocketFlags) => {
      const session = await openSession(flags, parts);
      const status = await session.delete<GroupStatus>(`/group/members/${encodeURIComponent(name)}`);
      printValue(
        session.output,
        status,
        `${name} is no relay of the group any more. It knew the keys of the group: if it was stolen, bring in another root (relay authority rotate) and other enrolment keys.`,
      );
    });
}

function leaveCommand(parts: Parts): Command {
  return relayCommand('leave', 'take this relay out of the group; it goes on by itself with what it knows').action(async (flags: SocketFlags) => {
    const { post, output } = await openSession(flags, parts);
    const left = await post('/group/leave');
    printValue(output, left, 'This relay is in no group any more. It still has the keys and agents of the group: once its cache is empty, reset it.');
  });
}

async function readToken(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw new CommandFailure(EXIT.usage, `The token file ${file} cannot be read.`, { cause });
  }
}

/** The relays of a group as a table, and how this one's copy is. */
export function screenOf(status: GroupStatus, now: number): string {
  const columns: readonly Column<MemberStatus>[] = [
    ['NAME', ({ name, isSelf }) => `${name}${isSelf ? ' (this one)' : ''}`],
    ['PART', ({ role }) => role],
    ['ADDRESS', ({ address }) => address],
    ['HEARD', ({ heardAt, isSelf }) => (isSelf ? '-' : heardAt === undefined ? 'never' : `${roughDuration(now - heardAt)} ago`)],
    ['COPY', ({ copy, role }) => (role === 'primary' ? '-' : copy)],
  ];
  const trouble = status.copy?.trouble === undefined ? [] : ['', `The primary did not answer: ${status.copy.trouble}`];
  return [tableOf(status.members, columns), ...trouble].join('\n');
}
