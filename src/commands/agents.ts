import { Command } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { AgentDetails } from '../control/api.ts';
import type { Agent } from '../management-group/agent.ts';
import type { Column } from '../table.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';

const COLUMNS: readonly Column<Agent>[] = [
  ['AGENT', (agent) => agent.agentId],
  ['HOST', (agent) => agent.hostName],
  ['STATE', (agent) => agent.state],
  ['WORKSPACE', (agent) => agent.workspaceId],
  ['LAST SEEN', (agent) => moment(agent.lastSeenAt)],
  ['SYSTEM', (agent) => agent.operatingSystem],
];

interface ListFlags extends SocketFlags {
  readonly state?: string;
}

interface DecideFlags extends SocketFlags {
  readonly reason?: string;
}

/** `relay agents list | show | approve | suspend`. An agent is named by its GUID, the beginning of it, or its host name. */
export function agentsCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const list = relayCommand('list', 'list the agents')
    .option('--state <state>', 'only those that are pending, approved or suspended')
    .action(async (flags: ListFlags) => {
      const { get, output } = await openSession(flags, parts);
      const agents = (await get<Agent[]>('/agents')).filter((agent) => flags.state === undefined || agent.state === flags.state);
      printRows(output, agents, COLUMNS, 'No agents.');
    });
  const show = relayCommand('show', 'show one agent with its certificates')
    .argument('<agent>')
    .action(async (name: string, flags: SocketFlags) => {
      const { get, output } = await openSession(flags, parts);
      const details = await get<AgentDetails>(`/agents/${encodeURIComponent(name)}`);
      printValue(output, details, describe(details));
    });
  const decide = (verb: 'approve' | 'suspend', description: string): Command =>
    relayCommand(verb, description)
      .argument('<agent...>')
      .option('--reason <text>', 'why, for the record')
      .action(async (names: string[], flags: DecideFlags) => {
        const { post, output } = await openSession(flags, parts);
        for (const name of names) {
          const agent = await post<Agent>(`/agents/${encodeURIComponent(name)}/${verb}`, flags.reason === undefined ? {} : { reason: flags.reason });
          printValue(output, agent, `${agent.agentId} (${agent.hostName}) is ${agent.state}.`);
        }
      });
  return new Command('agents')
    .description('who may send')
    .addCommand(list)
    .addCommand(show)
    .addCommand(decide('approve', 'let agents send'))
    .addCommand(decide('suspend', 'refuse agents from their next request on'));
}

function describe({ agent, certificates }: AgentDetails): string {
  const lines = [
    `agent       ${agent.agentId}`,
    `host        ${agent.hostName}`,
    `system      ${agent.operatingSystem}`,
    `workspace   ${agent.workspaceId}`,
    `state       ${agent.state} since ${moment(agent.stateSince)} (${agent.stateReason})`,
    `first seen  ${moment(agent.firstSeenAt)}`,
    `last seen   ${moment(agent.lastSeenAt)}`,
  ];
  const ofCertificates = certificates.map(
    (one) => `certificate ${one.fingerprint} until ${moment(one.notAfter)}${one.replacedAt === undefined ? '' : `, replaced ${moment(one.replacedAt)}`}`,
  );
  return [...lines, ...ofCertificates].join('\n');
}
