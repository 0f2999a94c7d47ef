import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import { userName } from '../control/operator.ts';
import { type Incident, type IncidentRecord, SEVERITIES, STATES, type TimelineEntry } from '../incidents/incident.ts';
import { INCIDENT_KINDS, KIND_FACTS } from '../incidents/kinds.ts';
import type { Target } from '../incidents/lifecycle.ts';
import { askControl } from '../local-workspace/control/control-client.ts';
import { type Column, tableOf } from '../table.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printRows, printValue } from './output.ts';
import { openSession, type RelaySession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

const COLUMNS: readonly Column<Incident>[] = [
  ['ID', ({ id }) => id],
  ['SEVERITY', ({ severity }) => severity],
  ['STATE', ({ state }) => state],
  ['KIND', ({ kind }) => kind],
  ['SOURCE', ({ source }) => source],
  ['ABOUT', ({ subject }) => subject],
  ['TIMES', ({ count }) => count],
  ['FIRST', ({ firstAt }) => moment(firstAt)],
  ['LAST', ({ lastAt }) => moment(lastAt)],
];

const LINES: readonly Column<TimelineEntry>[] = [
  ['TIME', ({ at }) => moment(at)],
  ['WHO', ({ who }) => who],
  ['WHAT', ({ what }) => what],
  ['', ({ text }) => text],
];

interface WhereFlags extends SocketFlags {
  readonly localWorkspace?: string;
}

interface ListFlags extends WhereFlags {
  readonly all?: boolean;
  readonly state?: string;
  readonly kind?: string;
  readonly severity?: string;
}

interface ChangeFlags extends WhereFlags {
  readonly comment: string;
}

/** `relay incidents list | show | assess | contain | close`: what went wrong, of the relay or of a local workspace, and what was done about it. */
export function incidentsCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  return new Command('incidents')
    .description('what went wrong, and what was done about it')
    .addCommand(listCommand(parts))
    .addCommand(showCommand(parts))
    .addCommand(changeCommand('assess', 'assessed', 'somebody has looked at it; nobody is reminded any more', parts))
    .addCommand(changeCommand('contain', 'contained', 'it does no more harm', parts))
    .addCommand(changeCommand('close', 'closed', 'it is over; if it happens again, that is a new incident', parts));
}

function listCommand(parts: SessionParts): Command {
  return incidentCommand('list', 'list those that are not closed, the youngest first')
    .option('--all', 'closed ones, too')
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .addOption(new Option('--kind <kind>', 'only those of this kind').choices(INCIDENT_KINDS))
    .addOption(new Option('--severity <severity>', 'only those of this severity').choices(SEVERITIES))
    .action(async ({ all, state, kind, severity, ...flags }: ListFlags) => {
      const wanted = { open: all || state ? undefined : 'true', state, kind, severity };
      const given = Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]]));
      const session = await openAnySession(flags, parts);
      printRows(session.output, await session.get<Incident[]>(`/incidents?${new URLSearchParams(given)}`), COLUMNS, 'No incidents.');
    });
}

function showCommand(parts: SessionParts): Command {
  return incidentCommand('show', 'show one with its time line')
    .argument('<id>', 'its name, such as INC-0007, or its number')
    .action(async (id: string, flags: WhereFlags) => {
      const session = await openAnySession(flags, parts);
      const found = await session.get<IncidentRecord>(pathOf(id));
      printValue(session.output, found, describe(found));
    });
}

function changeCommand(verb: string, state: Target, meaning: string, parts: SessionParts): Command {
  return incidentCommand(verb, `say of one that it is ${state}: ${meaning}`)
    .argument('<id>', 'its name, such as INC-0007, or its number')
    .requiredOption('--comment <text>', 'what was found or done; it stands in the time line and goes to whoever is told')
    .action(async (id: string, { comment, ...flags }: ChangeFlags) => {
      const session = await openAnySession(flags, parts);
      const changed = await session.post<Incident>(pathOf(id), { state, comment, by: userName() });
      printValue(session.output, changed, `${changed.id} is ${changed.state}.`);
    });
}

function incidentCommand(name: string, description: string): Command {
  return relayCommand(name, description).option('--local-workspace <folder>', 'of the local workspace that runs on this data folder, instead of the relay');
}

type AnySession = Pick<RelaySession, 'output' | 'get' | 'post'>;

/** The relay, or a local workspace: both serve incidents under the same paths. */
async function openAnySession(flags: WhereFlags, parts: SessionParts): Promise<AnySession> {
  if (flags.localWorkspace === undefined) return await openSession(flags, parts);
  const folder = resolve(flags.localWorkspace);
  return {
    output: parts.outputFor(flags.json ?? false),
    get: async <T>(path: string) => (await askControl(folder, { method: 'GET', path })) as T,
    post: async <T>(path: string, body?: unknown) => (await askControl(folder, { method: 'POST', path, body })) as T,
  };
}

function pathOf(id: string): string {
  return `/incidents/${encodeURIComponent(id)}`;
}

function describe({ incident, timeline }: IncidentRecord): string {
  const { id, kind, severity, state, source, subject, detail, count, firstAt, lastAt, earlier } = incident;
  return [
    `${id}: ${KIND_FACTS[kind].title} (${severity}, ${state})`,
    `what:      ${detail}`,
    `about:     ${subject}`,
    `where:     ${source}`,
    `how often: ${count}, from ${moment(firstAt)} to ${moment(lastAt)} (UTC)`,
    ...(earlier === undefined ? [] : [`before it: ${earlier}`]),
    '',
    tableOf(timeline, LINES),
  ].join('\n');
}
