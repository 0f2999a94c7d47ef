import { Command, InvalidArgumentError, Option } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { SolutionsAnswer } from '../control/api.ts';
import type { SourcedRule, Why } from '../routing/route.ts';
import type { SolutionState } from '../routing/routing.ts';
import type { Column } from '../table.ts';
import { formatDuration, readDuration } from '../units.ts';
import { createOutput, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

interface TargetFlags extends SocketFlags {
  readonly group?: string;
  readonly dataType?: string;
}

interface EnableFlags extends TargetFlags {
  readonly every?: number;
}

const COLUMNS: readonly Column<SolutionState>[] = [
  ['SOLUTION', ({ name }) => name],
  ['PLATFORM', ({ platforms }) => platforms.join(', ')],
  ['ENABLED', ({ isEnabled }) => `${isEnabled.value ? 'yes' : 'no'}${because(isEnabled.why)}`],
  ['EVERY', ({ everyMs, isOnArrival }) => `${isOnArrival && everyMs.why === 'default' ? 'on arrival' : formatDuration(everyMs.value)}${because(everyMs.why)}`],
  ['DEFAULT', ({ defaultRoute }) => defaultRoute],
  ['ROUTE', ({ route }) => route.value],
  ['WHY', ({ route }) => route.why],
  ['EXCEPT', ({ exceptions }) => exceptions.map(describeException).join('; ')],
];

/** `relay solutions list | enable | disable | route | reset`: what agents collect, and whether it goes through the relay or straight to the workspace. */
export function solutionsCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const list = relayCommand('list', 'list the solutions: how often, by which way, and whose word that is').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    const { solutions, directWorkspaces } = await get<SolutionsAnswer>('/solutions');
    printRows(output, solutions, COLUMNS, 'No solutions.');
    if (!output.json && directWorkspaces.length === 0)
      output.line('\nNo workspace has a direct way (workspaces[].direct.credential): everything goes through the relay.');
  });
  const enable = aboutSolution('enable', 'let agents collect a solution')
    .option('--every <duration>', 'how often, such as 30s', duration)
    .option('--group <name>', 'for the agents of this group only')
    .action((name: string, { every, ...flags }: EnableFlags) => say(name, flags, { isEnabled: true, everyMs: every }, parts));
  const disable = aboutSolution('disable', 'let agents stop collecting a solution')
    .option('--group <name>', 'for the agents of this group only')
    .action((name: string, flags: TargetFlags) => say(name, flags, { isEnabled: false }, parts));
  const route = withAspects(aboutSolution('route', "send a solution's data through the relay, or straight from the agents to the workspace"))
    .argument('<route>', 'relay or direct', oneWay)
    .action((name: string, way: string, flags: TargetFlags) => say(name, flags, { route: way }, parts));
  const reset = withAspects(aboutSolution('reset', 'take back what operators said about a solution; the configuration and the table hold again')).action(
    (name: string, flags: TargetFlags) => takeBack(name, flags, parts),
  );
  return new Command('solutions')
    .description('what agents collect, and by which way it goes')
    .addCommand(list)
    .addCommand(enable)
    .addCommand(disable)
    .addCommand(route)
    .addCommand(reset);
}

function aboutSolution(verb: string, description: string): Command {
  return relayCommand(verb, description).argument('<solution>', 'its name, such as "Performance counters"');
}

function withAspects(command: Command): Command {
  return command
    .addOption(new Option('--group <name>', 'for the agents of this group only'))
    .addOption(new Option('--data-type <name>', 'for this data type only, such as LINUX_PERF_BLOB'));
}

async function say(name: string, { group, dataType, ...flags }: TargetFlags, words: object, parts: SessionParts): Promise<void> {
  const { post, output } = await openSession(flags, parts);
  const state = await post<SolutionState>(pathOf(name), { ...words, group, dataType });
  printValue(output, state, describe(state));
}

async function takeBack(name: string, { group, dataType, ...flags }: TargetFlags, parts: SessionParts): Promise<void> {
  const session = await openSession(flags, parts);
  const query = new URLSearchParams();
  if (group !== undefined) query.set('group', group);
  if (dataType !== undefined) query.set('dataType', dataType);
  const state = await session.delete<SolutionState>(`${pathOf(name)}${query.size > 0 ? `?${query.toString()}` : ''}`);
  printValue(session.output, state, describe(state));
}

function pathOf(name: string): string {
  return `/solutions/${encodeURIComponent(name)}`;
}

// With what is more specific, so that nobody wonders why a machine does otherwise.
function describe({ name, isEnabled, everyMs, route, exceptions }: SolutionState): string {
  const collected = isEnabled.value ? `collected every ${formatDuration(everyMs.value)}` : 'not collected';
  const way = route.value === 'direct' ? 'goes straight from the agents to the workspace' : 'goes through the relay';
  const except = exceptions.map((rule) => `\nexcept: ${describeException(rule)}`);
  return `${name}: ${collected}${because(isEnabled.why)}; ${way} (${route.why}).${except.join('')}`;
}

function describeException({ group, dataType, route, isEnabled, everyMs, source }: SourcedRule): string {
  const what = [dataType, group === undefined ? undefined : `group ${group}`].filter((each) => each !== undefined).join(' in ');
  const words = [route, isEnabled === undefined ? undefined : isEnabled ? 'on' : 'off', everyMs === undefined ? undefined : formatDuration(everyMs)];
  return `${what}: ${words.filter((each) => each !== undefined).join(', ')} (${source})`;
}

function because(why: Why): string {
  return why === 'default' ? '' : ` (${why})`;
}

function duration(text: string): number {
  const found = readDuration(text);
  if (found === undefined || found < 1_000) throw new InvalidArgumentError('A duration such as 30s or 10m, a second at least.');
  return found;
}

function oneWay(text: string): string {
  if (text === 'relay' || text === 'direct') return text;
  throw new InvalidArgumentError('relay or direct.');
}
