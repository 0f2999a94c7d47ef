/**
 * What the agent has been told to do: the relay's last good answer, kept on disk so that a restart without the relay goes on as before. Until
 * the relay has said something everything is collected as the agent does by itself, and goes through the relay.
 */
import { join } from 'node:path';
import { type AgentConfiguration, type DirectWay, type Route, readAgentConfiguration, routeIn, type SolutionSetting } from '../check-in/agent-configuration.ts';
import { messageOf } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, writeFileAtomic } from '../files.ts';
import type { Logger } from '../logger.ts';

const FILE = 'configuration.json';

/** The names of solutions that this agent collects. */
export const HEALTH = 'Agent Health';
export const PERFORMANCE = 'Performance counters';
export const SYSTEM_LOG = 'Syslog, custom logs';

/** Which of its own data types belongs to which solution. */
const SOLUTION_OF: Readonly<Record<string, string>> = {
  HEALTH_ASSESSMENT_BLOB: HEALTH,
  OPERATION_BLOB: HEALTH,
  LINUX_PERF_BLOB: PERFORMANCE,
  LINUX_SYSLOGS_BLOB: SYSTEM_LOG,
};

export interface Instructions {
  /** Undefined until the relay has said something. */
  current(): AgentConfiguration | undefined;
  setting(solution: string): SolutionSetting | undefined;
  routeOf(dataType: string): Route;
  directWay(): DirectWay | undefined;
  /** Follows another answer, once it is on disk. */
  follow(configuration: AgentConfiguration): Promise<void>;
  /** Back to what the agent does by itself. */
  forget(): Promise<void>;
  /** Calls `action` after each change. */
  onChange(action: () => void): void;
}

/** Opens what the folder remembers. A file that cannot be read counts as none: the relay says it again. */
export async function openInstructions(folder: string, log: Logger): Promise<Instructions> {
  const path = join(folder, FILE);
  const listeners: (() => void)[] = [];
  let current = await readConfiguration(folder).catch((thrown: unknown) => void log.warn(`what the relay said last cannot be read: ${messageOf(thrown)}`));

  const change = async (next: AgentConfiguration | undefined): Promise<void> => {
    await makePrivateFolder(folder);
    await writeFileAtomic(path, next ? `${JSON.stringify(next, null, 2)}\n` : '');
    current = next;
    for (const listener of listeners) listener();
  };
  return {
    current: () => current,
    setting: (solution) => settingIn(current, solution),
    routeOf: (dataType) => routeOfType(current, dataType),
    directWay: () => current?.direct,
    follow: change,
    async forget() {
      if (current) await change(undefined);
    },
    onChange: (action) => void listeners.push(action),
  };
}

/** What the relay said last, as the folder remembers it; undefined when it has said nothing. Throws `relay.agent.bad-configuration`. */
export async function readConfiguration(folder: string): Promise<AgentConfiguration | undefined> {
  const text = (await readFileIfAny(join(folder, FILE)))?.toString();
  return text ? readAgentConfiguration(text) : undefined;
}

/** The route of a data type by this configuration; without one, and for what it does not name, through the relay. */
export function routeOfType(configuration: AgentConfiguration | undefined, dataType: string): Route {
  const setting = settingIn(configuration, SOLUTION_OF[dataType] ?? '');
  return setting ? routeIn(setting, dataType) : 'relay';
}

function settingIn(configuration: AgentConfiguration | undefined, solution: string): SolutionSetting | undefined {
  return configuration?.solutions.find(({ name }) => name === solution);
}
