import type { Command } from 'commander';
import type { AgentDetails, ListedAgent } from '../control/api.ts';
import type { Agent } from '../management-group/agent.ts';
import type { Confirm } from './confirm.ts';
import { CommandFailure, EXIT, printValue } from './output.ts';
import { openSession, type RelaySession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

const NAMES_IN_QUESTION = 5;

export interface AgentChangesParts extends SessionParts {
  readonly confirm: Confirm;
}

interface DecideFlags extends SocketFlags {
  readonly reason?: string;
  readonly allPending?: boolean;
}

interface RemoveFlags extends SocketFlags {
  readonly yes?: boolean;
}

/** The commands that change agents. Where several are taken, a name may be a pattern such as web-*. */
export function agentChanges(parts: AgentChangesParts): Command[] {
  return [approve(parts), suspend(parts), remove(parts), rename(parts), move(parts)];
}

function approve(parts: AgentChangesParts): Command {
  return relayCommand('approve', 'let agents send')
    .argument('[agent...]', 'names, or patterns that stand for those that are pending')
    .option('--all-pending', 'all that wait for approval')
    .option('--reason <text>', 'why, for the record')
    .action(async (names: string[], { allPending = false, ...flags }: DecideFlags) => {
      if (allPending === names.length > 0) throw new CommandFailure(EXIT.usage, 'Name agents, or give --all-pending.');
      await decide(allPending ? ['*'] : names, 'approve', 'pending', { ...flags }, parts);
    });
}

function suspend(parts: AgentChangesParts): Command {
  return relayCommand('suspend', 'refuse agents from their next request on')
    .argument('<agent...>', 'names, or patterns')
    .option('--reason <text>', 'why, for the record')
    .action((names: string[], flags: DecideFlags) => decide(names, 'suspend', undefined, flags, parts));
}

async function decide(names: string[], verb: string, only: Agent['state'] | undefined, flags: DecideFlags, parts: AgentChangesParts): Promise<void> {
  const session = await openSession(flags, parts);
  const body = flags.reason === undefined ? {} : { reason: flags.reason };
  for (const { path } of await chosen(session, names, only)) {
    const agent = await session.post<Agent>(`${path}/${verb}`, body);
    printValue(session.output, agent, `${agent.agentId} (${agent.hostName}) is ${agent.state}.`);
  }
}

function remove(parts: AgentChangesParts): Command {
  return relayCommand('remove', 'forget agents and their certificates; what they sent stays')
    .argument('<agent...>', 'names, or patterns')
    .option('--yes', 'do not ask')
    .action(async (names: string[], { yes = false, ...flags }: RemoveFlags) => {
      const session = await openSession(flags, parts);
      const found = await chosen(session, names, undefined, true);
      const hosts = found.slice(0, NAMES_IN_QUESTION).map(({ host }) => host);
      const which = `${found.length} agent${found.length === 1 ? '' : 's'} (${hosts.join(', ')}${found.length > hosts.length ? ', …' : ''})`;
      if (!yes && !(await parts.confirm(`Remove ${which}? They are refused from their next request on, until they enrol again.`)))
        throw new CommandFailure(EXIT.failed, 'Nothing was removed. Say yes, or give --yes.');
      for (const { path } of found) {
        const agent = await session.delete<Agent>(path);
        printValue(session.output, agent, `${agent.agentId} (${agent.hostName}) is removed.`);
      }
    });
}

function rename(parts: AgentChangesParts): Command {
  return relayCommand('rename', 'give an agent a display name, beside its host name; without one it goes by its host name again')
    .argument('<agent>')
    .argument('[name]', 'its display name')
    .action(async (agentName: string, displayName: string | undefined, flags: SocketFlags) => {
      const { post, output } = await openSession(flags, parts);
      const agent = await post<Agent>(`${pathOf(agentName)}/rename`, { displayName });
      printValue(output, agent, `${agent.agentId} (${agent.hostName}) is called ${agent.displayName ?? 'by its host name'}.`);
    });
}

function move(parts: AgentChangesParts): Command {
  return relayCommand('move', 'make an agent one of another workspace: what it sends from now on goes there, what is cached stays where it is')
    .argument('<agent>')
    .requiredOption('--workspace <guid>', 'the workspace it is to send to')
    .action(async (agentName: string, { workspace, ...flags }: SocketFlags & { readonly workspace: string }) => {
      const { post, output } = await openSession(flags, parts);
      const agent = await post<Agent>(`${pathOf(agentName)}/move`, { workspaceId: workspace });
      printValue(output, agent, `${agent.agentId} (${agent.hostName}) is in workspace ${agent.workspaceId}.`);
    });
}

interface Chosen {
  /** Where the control socket has it. */
  readonly path: string;
  readonly host: string;
}

// A pattern is asked of the relay; a name is looked up when its host is to be shown, else with the change itself.
async function chosen({ get }: RelaySession, names: readonly string[], only: Agent['state'] | undefined, isShown = false): Promise<Chosen[]> {
  const found: Chosen[] = [];
  for (const name of names) {
    if (/[*?]/.test(name)) {
      const query = new URLSearchParams({ name, ...(only === undefined ? {} : { state: only }) });
      const fitting = await get<ListedAgent[]>(`/agents?${query}`);
      if (fitting.length === 0) throw new CommandFailure(EXIT.failed, `No ${only ?? ''} agent fits "${name}".`.replace('  ', ' '));
      found.push(...fitting.map(chosenOf));
    } else found.push(isShown ? chosenOf((await get<AgentDetails>(pathOf(name))).agent) : { path: pathOf(name), host: name });
  }
  return [...new Map(found.map((one) => [one.path, one])).values()];
}

function chosenOf({ workspaceId, agentId, hostName }: Agent): Chosen {
  return { path: pathOf(`${workspaceId}/${agentId}`), host: hostName };
}

function pathOf(name: string): string {
  return `/agents/${encodeURIComponent(name)}`;
}
