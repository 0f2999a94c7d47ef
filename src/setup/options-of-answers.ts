import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Places } from '../host/places.ts';
import { formatSize } from '../units.ts';
import type { Answers } from './answers.ts';
import type { SetOption } from './merge-options.ts';
import { credentialName, SECRET_PLACES, type SecretPlace } from './secrets-of.ts';
import { protocolOf, type WorkspaceAnswers } from './workspace-answers.ts';

/** The port that agents connect to on an appliance; open to it without a capability by net.ipv4.ip_unprivileged_port_start. */
export const INTAKE_PORT = 443;
const REDIS_SOCKET = '/run/relay-redis/redis.sock';

export interface OptionsParts {
  readonly places: Pick<Places, 'state' | 'openedCredentials'>;
  /** Folder of the authorities in PEM. */
  readonly trust: string;
  /** Whether the credential store has, or will have, this secret. */
  readonly hasCredential: (name: string) => boolean;
}

/** What an appliance's configuration has whatever was answered. */
export function applianceOptions({ places: { state } }: OptionsParts): readonly SetOption[] {
  return [
    { at: ['data'], value: state },
    { at: ['cache', 'redis', 'socket'], value: REDIS_SOCKET },
    { at: ['intake', 'port'], value: INTAKE_PORT },
  ];
}

/** The options that the answers give. Lists that others write into as well are not among them: `serverNames`, `approve`. */
export function optionsOfAnswers(answers: Answers, parts: OptionsParts): readonly SetOption[] {
  const { address, tunnel, cacheLimit, workspaces } = answers;
  return given([
    [['domain'], domainOf(answers)],
    [['intake', 'address'], isIP(hostOf(address) ?? '') === 6 ? '::' : undefined],
    [['tunnel', 'enabled'], tunnel],
    [['metrics', 'address'], metricsAddress(answers)],
    [['cache', 'limit'], cacheLimit === undefined ? undefined : formatSize(cacheLimit)],
    ...workspaces.flatMap((workspace) => workspaceOptions(workspace, parts).map(([at, value]) => [['workspaces', workspace.id, ...at], value] as const)),
  ]);
}

/** The relay's DNS domain that the answers give: the one said, or the machine's full name. */
export function domainOf({ domain, name }: Pick<Answers, 'domain' | 'name'>): string | undefined {
  return domain ?? (name.includes('.') ? name : undefined);
}

/** The address itself of `10.1.0.5/24`; undefined for `dhcp` and for none. */
export function hostOf(address: string | undefined): string | undefined {
  return address === undefined || address === 'dhcp' ? undefined : address.split('/')[0];
}

/** True where a management side is named: by its interface, or by its networks. */
export function hasManagement({ management }: Pick<Answers, 'management'>): boolean {
  return management.interface !== undefined || Boolean(management.networks?.length);
}

/** Where what is for operators listens: on the management side, which the firewall keeps to itself. Undefined without one. */
export function managementListens(answers: Pick<Answers, 'management' | 'address'>): string | undefined {
  if (!hasManagement(answers)) return undefined;
  if (answers.management.interface === undefined) return isIP(hostOf(answers.address) ?? '') === 6 ? '::' : '0.0.0.0';
  return hostOf(answers.management.address) ?? '0.0.0.0';
}

function metricsAddress(answers: Answers): string | undefined {
  return answers.metrics.address ?? managementListens(answers);
}

type Given = readonly [at: readonly string[], value: unknown];

function given(options: readonly Given[]): readonly SetOption[] {
  return options.flatMap(([at, value]) => (value === undefined ? [] : [{ at, value }]));
}

function workspaceOptions(workspace: WorkspaceAnswers, parts: OptionsParts): readonly Given[] {
  const { name, ruleId, tenant, client, cloud, authority, endpoint, path } = workspace;
  const protocol = protocolOf(workspace);
  const { proxy, ...road } = path;
  return [
    [['name'], name],
    [['protocol'], protocol],
    [protocol === 'logs-ingestion' ? ['ingestion', 'endpoint'] : ['endpoint'], endpoint],
    [['ingestion', 'ruleId'], ruleId],
    [['ingestion', 'signIn', 'tenantId'], tenant],
    [['ingestion', 'signIn', 'clientId'], client],
    [['ingestion', 'signIn', 'cloud'], cloud],
    [['ingestion', 'signIn', 'authority'], authority],
    ...SECRET_PLACES.flatMap((place): Given[] => (isUsed(place, protocol) ? [[place.option, secretFile(workspace, place, parts)]] : [])),
    ...trustFiles(workspace, parts.trust).map(({ at, file }): Given => [at, file]),
    ...(['kind', 'sourceAddress', 'interface', 'gateway', 'peers', 'nameServers', 'addresses'] as const).map((each): Given => [['path', each], road[each]]),
    ...(['host', 'port', 'user', 'except'] as const).map((each): Given => [['path', 'proxy', each], proxy[each]]),
  ];
}

// Both main secrets have the same name in the store: the protocol says which it is.
function isUsed({ answer }: SecretPlace, protocol: string): boolean {
  return answer === 'sharedKey' ? protocol === 'operational-data' : answer !== 'secret' || protocol === 'logs-ingestion';
}

function secretFile(workspace: WorkspaceAnswers, place: SecretPlace, { places, hasCredential }: OptionsParts): string | undefined {
  const name = credentialName(workspace, place);
  return hasCredential(name) ? join(places.openedCredentials, name) : undefined;
}

/** A file of authorities that a workspace trusts. */
export interface TrustFile {
  readonly at: readonly string[];
  readonly file: string;
  readonly pem: string;
}

/** The PEMs of a workspace, and their files in the folder `trust`. */
export function trustFiles({ id, trust: own, signInTrust, path }: WorkspaceAnswers, trust: string): readonly TrustFile[] {
  const all: readonly (readonly [at: readonly string[], file: string, pem: string | undefined])[] = [
    [['trustFile'], `${id}.pem`, own],
    [['ingestion', 'signIn', 'trustFile'], `${id}-sign-in.pem`, signInTrust],
    [['path', 'proxy', 'trustFile'], `${id}-proxy.pem`, path.proxy.trust],
  ];
  return all.flatMap(([at, file, pem]) => (pem === undefined ? [] : [{ at, file: join(trust, file), pem }]));
}
