/** The boxes of the dialogue, in their order. Each gives one answer, or chooses which boxes come; the texts typed so far decide what is asked. */
import { type AnswerText, PROPERTY_PREFIX } from './answer-names.ts';
import type { Choice, Question } from './dialogue.ts';

/** Texts typed so far, by the property they give, or by the name of a choice that gives none. */
export type Typing = ReadonlyMap<string, string>;

export interface Screen {
  /** The property that it gives; without the prefix it is a choice of the dialogue's own. */
  readonly name: string;
  readonly isRequired: boolean;
  readonly isAsked: (typing: Typing) => boolean;
  readonly question: (initial: string) => Question;
}

const ADDRESSING = 'addressing';
const TARGET = 'target';
const of = (answer: string): string => `${PROPERTY_PREFIX}${answer}`;
const always = (): boolean => true;
const says =
  (name: string, ...values: readonly string[]): ((typing: Typing) => boolean) =>
  (typing) =>
    values.includes(typing.get(name) ?? '');
const hasWorkspace = (typing: Typing): boolean => (typing.get(of('workspace.id')) ?? '') !== '';
const both =
  (...conditions: readonly ((typing: Typing) => boolean)[]): ((typing: Typing) => boolean) =>
  (typing) =>
    conditions.every((condition) => condition(typing));

interface Box {
  readonly required?: true;
  readonly when?: (typing: Typing) => boolean;
  readonly fallback?: string;
}

function text(name: string, title: string, words: string, { required, when = always, fallback = '' }: Box = {}): Screen {
  return { name, isRequired: required ?? false, isAsked: when, question: (initial) => ({ kind: 'text', title, text: words, initial: initial || fallback }) };
}

function secret(name: string, title: string, words: string, when: (typing: Typing) => boolean): Screen {
  return { name, isRequired: false, isAsked: when, question: () => ({ kind: 'secret', title, text: `${words} Left empty: what is kept from before.` }) };
}

function choice(name: string, title: string, words: string, choices: readonly Choice[], when: (typing: Typing) => boolean = always): Screen {
  const [first = { value: '', label: '' }] = choices;
  return { name, isRequired: true, isAsked: when, question: (initial) => ({ kind: 'choice', title, text: words, choices, initial: initial || first.value }) };
}

const toAzure = both(hasWorkspace, says(TARGET, 'azure'));
const toLocal = both(hasWorkspace, says(TARGET, 'local'));
const byPath = (kind: string): ((typing: Typing) => boolean) => both(hasWorkspace, says(of('workspace.path.kind'), kind));

export const SCREENS: readonly Screen[] = [
  text(of('name'), '1 of 7: Name', 'Name of this relay: a full name such as relay-01.example.org, which agents will use too, or a host name alone.', {
    required: true,
  }),
  choice(ADDRESSING, '2 of 7: Address', 'How does this machine get its address?', [
    { value: 'dhcp', label: 'By DHCP' },
    { value: 'static', label: 'It is typed in' },
  ]),
  text(of('address'), '2 of 7: Address', 'Address with the length of its network, such as 10.1.0.5/24.', { required: true, when: says(ADDRESSING, 'static') }),
  text(of('gateway'), '2 of 7: Address', 'Default gateway, such as 10.1.0.1. Empty: none.', { when: says(ADDRESSING, 'static') }),
  text(of('dns'), '3 of 7: Name servers', 'Addresses of name servers, with commas. Empty: those that DHCP tells.'),
  text(of('ntp'), '4 of 7: Time servers', "Names or addresses of time servers, with commas. Empty: Debian's, on the internet."),
  text(of('workspace.id'), '5 of 7: Workspace', 'Id (GUID) of the workspace that data is sent on to. Empty: none yet.'),
  choice(
    TARGET,
    '5 of 7: Workspace',
    'Where is it?',
    [
      { value: 'azure', label: 'Azure Monitor (Logs Ingestion)' },
      { value: 'local', label: 'Another relay, or a local workspace' },
    ],
    hasWorkspace,
  ),
  text(of('workspace.endpoint'), '5 of 7: Workspace', 'Address of the data collection endpoint, https://….', { required: true, when: toAzure }),
  text(of('workspace.ruleId'), '5 of 7: Workspace', 'Immutable id of the data collection rule, dcr-….', { required: true, when: toAzure }),
  text(of('workspace.tenant'), '5 of 7: Workspace', 'Tenant: a GUID or a domain.', { required: true, when: toAzure }),
  text(of('workspace.client'), '5 of 7: Workspace', "The application's id (client id).", { required: true, when: toAzure }),
  secret(of('workspace.secret'), '5 of 7: Workspace', "The application's secret.", toAzure),
  text(of('workspace.endpoint'), '5 of 7: Workspace', 'Address of the relay or local workspace, https://…. Empty: built from the id.', { when: toLocal }),
  secret(of('workspace.sharedKey'), '5 of 7: Workspace', "The workspace's shared key (base64).", toLocal),
  choice(
    of('workspace.path.kind'),
    '5 of 7: Network path',
    'By which road does data leave? No other is ever taken.',
    [
      { value: 'public', label: 'The internet, or the network as it is' },
      { value: 'proxy', label: 'An HTTP proxy' },
      { value: 'expressroute', label: 'ExpressRoute' },
      { value: 'private-link', label: 'Private Link' },
    ],
    hasWorkspace,
  ),
  text(of('workspace.path.proxy.host'), '5 of 7: Network path', "The proxy's name or address.", { required: true, when: byPath('proxy') }),
  text(of('workspace.path.proxy.port'), '5 of 7: Network path', "The proxy's port.", { when: byPath('proxy'), fallback: '8080' }),
  text(of('workspace.path.sourceAddress'), '5 of 7: Network path', 'Local address that connections over the circuit come from.', {
    required: true,
    when: byPath('expressroute'),
  }),
  text(of('workspace.path.gateway'), '5 of 7: Network path', 'Next hop to the circuit. Empty: the default gateway.', { when: byPath('expressroute') }),
  text(of('workspace.path.peers'), '5 of 7: Network path', 'Prefixes that come over the circuit, with commas, such as 20.0.0.0/8.', {
    required: true,
    when: byPath('expressroute'),
  }),
  text(
    of('workspace.enrolmentKey.name'),
    '6 of 7: Enrolment key',
    'Name of the key that machines enrol with. It is made if there is none of that name. Empty: none yet.',
    { when: hasWorkspace, fallback: 'site' },
  ),
  choice(
    of('workspace.enrolmentKey.approve'),
    '6 of 7: Enrolment key',
    'Do machines that come with this key need an operator who approves them?',
    [
      { value: 'none', label: 'Yes, each one' },
      { value: 'all', label: 'No: whoever has the key is in' },
    ],
    both(hasWorkspace, (typing) => (typing.get(of('workspace.enrolmentKey.name')) ?? '') !== ''),
  ),
  text(
    of('sshKeys'),
    '7 of 7: Administrator',
    'Public SSH key of the administrator, who signs in as ops. There is no password. Paste the line of id_ed25519.pub.',
  ),
];

/** What was typed and chosen, as answers. `before`: those of an earlier time; what no box asks for stays as it was there. */
export function answersTyped(typing: Typing, before: AnswerText): AnswerText {
  const boxes = new Set(SCREENS.map(({ name }) => name));
  const asked = SCREENS.filter(({ isAsked }) => isAsked(typing)).map(({ name }) => name);
  const isSameWorkspace = typing.get(of('workspace.id')) === before.get(of('workspace.id'));
  const kept = [...before].filter(([name]) => !boxes.has(name) && (isSameWorkspace || !name.startsWith(of('workspace.'))));
  const given = [...typing].filter(([name]) => asked.includes(name) && name.startsWith(PROPERTY_PREFIX));
  const address: [string, string][] = typing.get(ADDRESSING) === 'dhcp' ? [[of('address'), 'dhcp']] : [];
  const protocol: [string, string][] = hasWorkspace(typing)
    ? [[of('workspace.protocol'), typing.get(TARGET) === 'azure' ? 'logs-ingestion' : 'operational-data']]
    : [];
  return new Map([...kept, ...given, ...address, ...protocol]);
}

/** The texts that a dialogue begins with, of what was answered before. */
export function typingOf(answers: AnswerText): Typing {
  const address = answers.get(of('address'));
  const hasId = answers.has(of('workspace.id'));
  return new Map([
    ...answers,
    ...(address === undefined ? [] : [[ADDRESSING, address === 'dhcp' ? 'dhcp' : 'static'] as const]),
    ...(hasId ? [[TARGET, answers.has(of('workspace.ruleId')) ? 'azure' : 'local'] as const] : []),
  ]);
}
