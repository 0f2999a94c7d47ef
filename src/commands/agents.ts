import { Command, InvalidArgumentError, Option } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { AgentDetails, ListedAgent } from '../control/api.ts';
import type { Column } from '../table.ts';
import { formatSize, readDuration } from '../units.ts';
import { agentChanges } from './agent-changes.ts';
import { exportCommand } from './agents-export.ts';
import { askPerson, type Confirm } from './confirm.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';

const COLUMNS: readonly Column<ListedAgent>[] = [
  ['AGENT', (agent) => agent.agentId],
  ['HOST', (agent) => agent.hostName],
  ['STATE', (agent) => agent.state],
  ['NAME', (agent) => agent.displayName ?? '-'],
  ['WORKSPACE', (agent) => agent.workspaceId],
  ['LAST SEEN', (agent) => moment(agent.lastSeenAt)],
  ['BATCHES', (agent) => agent.receivedBatches],
  ['CERTIFICATE ENDS', (agent) => moment(agent.certificateEndsAt)],
  ['SYSTEM', (agent) => agent.operatingSystem],
];

interface ListFlags extends SocketFlags {
  readonly state?: string;
  readonly workspace?: string;
  readonly group?: string;
  readonly name?: string;
  readonly silentFor?: number;
}

/** `relay agents list | show | export | approve | suspend | remove | rename | move`. An agent is named by its GUID, the beginning of it, its display name or its host name. */
export function agentsCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput, confirm: Confirm = askPerson): Command {
  const parts = { env, outputFor };
  const list = relayCommand('list', 'list the agents, all or those that fit everything given')
    .addOption(new Option('--state <state>', 'in this state').choices(['pending', 'approved', 'suspended']))
    .option('--workspace <guid>', 'of this workspace; the beginning of its id is enough')
    .option('--group <name>', 'in this group of the configuration')
    .option('--name <pattern>', 'whose host name or display name fits, such as web-*')
    .option('--silent-for <duration>', 'not heard of for so long, such as 10m', toDuration)
    .action(async ({ state, workspace, group, name, silentFor, ...flags }: ListFlags) => {
      const { get, output } = await openSession(flags, parts);
      const query = new URLSearchParams();
      for (const [key, value] of Object.entries({ state, workspace, group, name, silentForMs: silentFor }))
        if (value !== undefined) query.set(key, String(value));
      printRows(output, await get<ListedAgent[]>(`/agents?${query}`), COLUMNS, 'No agents.');
    });
  const show = relayCommand('show', 'show one agent with its certificates')
    .argument('<agent>')
    .action(async (name: string, flags: SocketFlags) => {
      const { get, output } = await openSession(flags, parts);
      const details = await get<AgentDetails>(`/agents/${encodeURIComponent(name)}`);
      printValue(output, details, describe(details));
    });
  const command = new Command('agents').description('who may send').addCommand(list).addCommand(show).addCommand(exportCommand(parts));
  for (const one of agentChanges({ ...parts, confirm })) command.addCommand(one);
  return command;
}

function toDuration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('A duration such as 10m or 2d.');
  return ms;
}

function describe({ agent, certificates }: AgentDetails): string {
  const lines = [
    `agent       ${agent.agentId}`,
    `host        ${agent.hostName}`,
    ...(agent.displayName === undefined ? [] : [`name        ${agent.displayName}`]),
    `system      ${agent.operatingSystem}`,
    `software    ${agent.version || 'it has not said'}`,
    `workspace   ${agent.workspaceId}${agent.movedFrom === undefined ? '' : `, moved from ${agent.movedFrom}`}`,
    `state       ${agent.state} since ${moment(agent.stateSince)} (${agent.stateReason})`,
    `groups      ${agent.groups.join(', ') || 'none'}`,
    `first seen  ${moment(agent.firstSeenAt)}`,
    `last seen   ${moment(agent.lastSeenAt)}`,
    `received    ${agent.receivedBatches} batches, ${formatSize(agent.receivedBytes)}`,
    ...Object.entries(agent.solutions).map(([solution, at]) => `solution    ${solution}, last ${moment(at)}`),
  ];
  const ofCertificates = certificates.map(
    (one) => `certificate ${one.fingerprint} until ${moment(one.notAfter)}${one.replacedAt === undefined ? '' : `, replaced ${moment(one.replacedAt)}`}`,
  );
  return [...lines, ...ofCertificates].join('\n');
}
