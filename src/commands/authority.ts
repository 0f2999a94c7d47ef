import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { RootFacts } from '../authority/authority.ts';
import type { Environment } from '../configuration/environment.ts';
import type { AuthorityFacts } from '../control/api.ts';
import { type Column, tableOf } from '../table.ts';
import { askPerson, type Confirm } from './confirm.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';
import { openSession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

/** So many agents that know nothing of the next root are named; `--json` has them all. */
const NAMED_AGENTS = 20;

const COLUMNS: readonly Column<RootFacts>[] = [
  ['ROOT', ({ fingerprint }) => fingerprint.slice(0, 16)],
  ['STATE', ({ role }) => role],
  ['ENDS', ({ endsAt }) => moment(endsAt)],
  ['SIGNS FROM', ({ beginsAt }) => moment(beginsAt)],
  ['TRUSTED UNTIL', ({ trustedUntil }) => moment(trustedUntil)],
];

interface FinishFlags extends SocketFlags {
  readonly yes?: boolean;
}

interface ExportFlags extends SocketFlags {
  readonly out: string;
}

/** `relay authority show | rotate | finish | export`: the roots that agents trust, and how one follows another. */
export function authorityCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput, confirm: Confirm = askPerson): Command {
  const parts = { env, outputFor };
  const show = relayCommand('show', 'show the roots, and which agents have not asked for them').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    const facts = await get<AuthorityFacts>('/authority');
    printValue(output, facts, describe(facts));
  });
  const rotate = relayCommand('rotate', 'make another root: agents learn it now, and certificates come from it after authority.rootOverlap').action(
    async (flags: SocketFlags) => {
      const { post, output } = await openSession(flags, parts);
      const facts = await post<AuthorityFacts>('/authority/rotate');
      printValue(output, facts, describe(facts));
    },
  );
  const finish = relayCommand('finish', 'end the overlap now: certificates come from the next root')
    .option('--yes', 'do not ask')
    .action((flags: FinishFlags) => finishRollover(flags, parts, confirm));
  const exportRoots = relayCommand('export', 'write every root that is to be trusted now, for trust files')
    .requiredOption('--out <file>', 'the file to write (PEM)')
    .action((flags: ExportFlags) => writeTrust(flags, parts));
  return new Command('authority').description('the roots that agents trust').addCommand(show).addCommand(rotate).addCommand(finish).addCommand(exportRoots);
}

async function finishRollover(flags: FinishFlags, parts: SessionParts, confirm: Confirm): Promise<void> {
  const { get, post, output } = await openSession(flags, parts);
  const { unaware } = await get<AuthorityFacts>('/authority');
  const question = `${unaware.length} agents have not asked for the next root yet. Those that cannot follow by the old one will refuse this relay. Go on?`;
  if (!flags.yes && unaware.length > 0 && !(await confirm(question)))
    throw new CommandFailure(EXIT.failed, 'The overlap goes on. Without a person to ask, add --yes.');
  const facts = await post<AuthorityFacts>('/authority/finish');
  printValue(output, facts, describe(facts));
}

async function writeTrust(flags: ExportFlags, parts: SessionParts): Promise<void> {
  const { get, output } = await openSession(flags, parts);
  const { roots } = await get<AuthorityFacts>('/authority');
  try {
    await writeFile(flags.out, roots.map(({ certificate }) => certificate).join(''));
  } catch (cause) {
    throw new CommandFailure(EXIT.failed, `${flags.out} could not be written.`, { cause });
  }
  printValue(output, roots, `${roots.length === 1 ? 'The root is' : `${roots.length} roots are`} in ${flags.out}.`);
}

function describe({ roots, unaware, unawareSince }: AuthorityFacts): string {
  const table = tableOf(roots, COLUMNS);
  if (unaware.length === 0) return table;
  const named = unaware.slice(0, NAMED_AGENTS).map(({ agentId, hostName, lastSeenAt }) => `  ${agentId} (${hostName}), last seen ${moment(lastSeenAt)}`);
  const more = unaware.length > NAMED_AGENTS ? [`  and ${unaware.length - NAMED_AGENTS} more`] : [];
  return [
    table,
    '',
    `WARNING: ${unaware.length} agents have not asked which roots to trust since ${moment(unawareSince)}.`,
    'Those with a trust file of their own (OMS agents) never ask: give them the output of relay authority export before the old root goes.',
    ...named,
    ...more,
  ].join('\n');
}
