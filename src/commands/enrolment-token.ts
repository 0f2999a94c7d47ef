import { Command, InvalidArgumentError } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { CreatedToken } from '../control/api.ts';
import type { OneTimeToken } from '../management-group/one-time-tokens.ts';
import type { Column } from '../table.ts';
import { readDuration } from '../units.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';

const DEFAULT_LIFE_MS = 86_400_000;

const COLUMNS: readonly Column<OneTimeToken>[] = [
  ['ID', (token) => token.id],
  ['FOR', (token) => token.agentName ?? 'any machine'],
  ['WORKSPACE', (token) => token.workspaceId],
  ['STATE', (token) => stateOf(token)],
  ['CREATED', (token) => moment(token.createdAt)],
  ['EXPIRES', (token) => moment(token.expiresAt)],
];

interface CreateFlags extends SocketFlags {
  readonly workspace: string;
  readonly agent?: string;
  readonly expires: number;
}

/** `relay enrolment-token create | list | revoke`. A token's secret is printed once, at its creation. */
export function enrolmentTokenCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const create = relayCommand('create', 'make a token that one machine enrols with, once')
    .requiredOption('--workspace <guid>', 'the workspace that the machine belongs to')
    .option('--agent <name>', 'good for this machine only: its host name or GUID; it is approved by that')
    .option('--expires <duration>', 'good for so long', toDuration, DEFAULT_LIFE_MS)
    .action(async ({ workspace, agent, expires, ...flags }: CreateFlags) => {
      const { post, output } = await openSession(flags, parts);
      const created = await post<CreatedToken>('/enrolment-tokens', { workspaceId: workspace, agentName: agent, expiresAt: Date.now() + expires });
      printValue(output, created, created.secret);
    });
  const list = relayCommand('list', 'list the tokens until they expire, without their secrets').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    printRows(output, await get<OneTimeToken[]>('/enrolment-tokens'), COLUMNS, 'No one-time tokens.');
  });
  const revoke = relayCommand('revoke', 'let nobody enrol with a token')
    .argument('<token>', 'its id, or the name of the machine it is for')
    .action(async (name: string, flags: SocketFlags) => {
      const session = await openSession(flags, parts);
      const revoked = await session.delete(`/enrolment-tokens/${encodeURIComponent(name)}`);
      printValue(session.output, revoked, `The one-time token ${name} is revoked.`);
    });
  return new Command('enrolment-token').description('tokens that one machine enrols with, once').addCommand(create).addCommand(list).addCommand(revoke);
}

function toDuration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('A duration such as 12h or 7d.');
  return ms;
}

function stateOf(token: OneTimeToken): string {
  if (token.redeemedAt !== undefined) return `used ${moment(token.redeemedAt)}`;
  if (token.revokedAt !== undefined) return 'revoked';
  return token.expiresAt <= Date.now() ? 'expired' : 'usable';
}
