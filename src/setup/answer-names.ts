/**
 * The answers as flat properties, for a virtual machine's OVF: one text a property, named `relay.` and the answer's path, the one workspace of them under
 * `relay.workspace`. This file says which of them the image offers; any other answer is understood under its name as well.
 */
import { optionPlaces } from '../configuration/option-places.ts';
import type { OptionFacts } from '../options.ts';
import { type Answers, answersSchema } from './answers.ts';
import { secretAnswers } from './secrets-of.ts';

/** One property of the OVF. */
export interface AnswerName {
  /** `relay.workspace.id`. */
  readonly property: string;
  /** What a form shows before the field. */
  readonly label: string;
  readonly category: 'Machine' | 'Network' | 'Workspace' | 'Network path' | 'Agents';
  readonly type: 'string' | 'boolean';
  /** Shown as dots. */
  readonly isSecret: boolean;
  /** One or two sentences. */
  readonly description: string;
}

export const PROPERTY_PREFIX = 'relay.';

const OFFERED: readonly (readonly [answer: string, category: AnswerName['category'], label: string])[] = [
  ['name', 'Machine', 'Name'],
  ['domain', 'Machine', "Agents' domain"],
  ['sshKeys', 'Machine', "Administrator's SSH key"],
  ['cacheLimit', 'Machine', 'Cache limit'],
  ['address', 'Network', 'Address'],
  ['gateway', 'Network', 'Gateway'],
  ['dns', 'Network', 'Name servers'],
  ['ntp', 'Network', 'Time servers'],
  ['management.interface', 'Network', 'Management interface'],
  ['management.address', 'Network', 'Management address'],
  ['management.gateway', 'Network', 'Management gateway'],
  ['management.networks', 'Network', 'Management networks'],
  ['workspaces[].id', 'Workspace', 'Workspace id'],
  ['workspaces[].name', 'Workspace', 'Workspace name'],
  ['workspaces[].endpoint', 'Workspace', 'Endpoint'],
  ['workspaces[].sharedKey', 'Workspace', 'Shared key'],
  ['workspaces[].ruleId', 'Workspace', 'Data collection rule'],
  ['workspaces[].tenant', 'Workspace', 'Tenant'],
  ['workspaces[].client', 'Workspace', 'Application id'],
  ['workspaces[].secret', 'Workspace', 'Application secret'],
  ['workspaces[].cloud', 'Workspace', 'Cloud'],
  ['workspaces[].trust', 'Workspace', 'Trusted authorities'],
  ['workspaces[].path.kind', 'Network path', 'Path'],
  ['workspaces[].path.proxy.host', 'Network path', 'Proxy'],
  ['workspaces[].path.proxy.port', 'Network path', 'Proxy port'],
  ['workspaces[].path.proxy.user', 'Network path', 'Proxy user'],
  ['workspaces[].path.proxy.password', 'Network path', 'Proxy password'],
  ['workspaces[].path.sourceAddress', 'Network path', 'Source address'],
  ['workspaces[].path.interface', 'Network path', 'Interface'],
  ['workspaces[].path.gateway', 'Network path', 'Next hop'],
  ['workspaces[].path.peers', 'Network path', 'Peers'],
  ['workspaces[].path.nameServers', 'Network path', 'Name servers of the path'],
  ['workspaces[].path.addresses', 'Network path', 'Addresses of the service'],
  ['workspaces[].enrolmentKey.name', 'Agents', 'Enrolment key'],
  ['workspaces[].enrolmentKey.key', 'Agents', 'The key itself'],
  ['workspaces[].enrolmentKey.approve', 'Agents', 'Approve'],
  ['tunnel', 'Agents', 'Tunnel'],
];

/** The properties that the image offers, in the order of its form. */
export function offeredProperties(): readonly AnswerName[] {
  const facts = new Map(optionPlaces(answersSchema).map((place) => [place.path, place.facts]));
  const secrets = secretAnswers();
  return OFFERED.flatMap(([answer, category, label]) => {
    const found = facts.get(answer);
    if (found === undefined) return [];
    const type = found.kind.name === 'flag' ? 'boolean' : 'string';
    return [{ property: propertyOf(answer), label, category, type, isSecret: secrets.includes(answer), description: descriptionOf(found) }];
  });
}

/** Answers as texts, by the properties that they are given under. */
export type AnswerText = ReadonlyMap<string, string>;

/** The answers that flat properties give; empty ones give none. A name that is no answer's stays, to be told as unknown. */
export function answersOfProperties(properties: AnswerText): unknown {
  const kinds = new Map(optionPlaces(answersSchema).map(({ path, facts }) => [propertyOf(path), facts.kind]));
  const answers: Record<string, unknown> = {};
  for (const [property, text] of properties) {
    if (!property.startsWith(PROPERTY_PREFIX) || text.trim() === '') continue;
    const kind = kinds.get(property);
    put(answers, property.slice(PROPERTY_PREFIX.length).split('.'), kind === undefined ? text : answerIn(kind, text.trim()));
  }
  return answers;
}

/** The properties of answers that were read; of several workspaces, those of the first. Secrets are among them where the answers have them. */
export function propertiesOf(answers: Answers): AnswerText {
  const texts = optionPlaces(answersSchema).flatMap(({ path, facts: { kind } }): [string, string][] => {
    const found = at(answers, path.replace('workspaces[]', 'workspaces.0').split('.'));
    if (found === undefined) return [];
    const written = kind.write(found);
    return [[propertyOf(path), Array.isArray(written) ? written.join(', ') : String(written)]];
  });
  return new Map(texts);
}

/** What is wrong with the text of one property, in words; undefined when it can be read, or is none of ours. */
export function faultIn(property: string, text: string): string | undefined {
  const place = optionPlaces(answersSchema).find(({ path }) => propertyOf(path) === property);
  if (place === undefined) return undefined;
  const { kind } = place.facts;
  if (kind.read(answerIn(kind, text.trim())) !== undefined) return undefined;
  return `Please give ${kind.item?.allowed ?? kind.allowed}.`;
}

function at(value: unknown, [name, ...rest]: readonly string[]): unknown {
  return name === undefined ? value : at((value as Readonly<Record<string, unknown>> | undefined)?.[name], rest);
}

function propertyOf(answer: string): string {
  return `${PROPERTY_PREFIX}${answer.replace('workspaces[]', 'workspace')}`;
}

function descriptionOf({ kind, default: otherwise, meaning }: OptionFacts): string {
  const item = kind.item === undefined ? kind.allowed : `${kind.item.allowed}; several with commas`;
  return `${meaning} ${otherwise === '' ? 'Required' : `Optional (${otherwise})`}: ${item}.`;
}

// An SSH key may hold a comma in its comment: a new key begins with its type.
function answerIn(kind: OptionFacts['kind'], text: string): unknown {
  if (kind.name === 'flag') return kind.fromText(text.toLowerCase());
  if (kind.item?.name === 'SSH key') return text.split(/\s*[,\n]\s*(?=(?:ssh|ecdsa|sk)-)/).map((each) => each.trim());
  return kind.item === undefined ? kind.fromText(text) : kind.fromText(text.replaceAll(/[\s;]+/g, ','));
}

function put(into: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[name] = value;
    return;
  }
  const inner = into[name] ?? {};
  into[name] = inner;
  // A text where others stand below: it is left to be told as wrong.
  if (typeof inner === 'object') put(inner as Record<string, unknown>, rest, value);
}
