/** What a machine is told of a workspace: where it is, by which road, with which secrets, and how its machines enrol. */
import { host, httpsAddress, list, oneOf, port, text } from '../option-kinds.ts';
import { check, optional, required, type Schema, section } from '../options.ts';
import { ruleId } from '../workspace/ingestion-options.ts';
import { ipAddress, nameServer, prefix, proxyException } from '../workspace/path-options.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import { approval, authorities, keyName, keyText, link, secretText } from './answer-kinds.ts';

/** Each of them may be left out. */
export type Perhaps<T> = { readonly [Name in keyof T]: T[Name] | undefined };

export interface WorkspaceAnswers
  extends Perhaps<{
    name: string;
    protocol: 'operational-data' | 'logs-ingestion';
    endpoint: string;
    sharedKey: string;
    ruleId: string;
    tenant: string;
    client: string;
    secret: string;
    cloud: 'public' | 'us-government' | 'china';
    authority: string;
    trust: string;
    signInTrust: string;
  }> {
  readonly id: WorkspaceId;
  readonly path: PathAnswers;
  readonly enrolmentKey: EnrolmentKeyAnswers;
}

export interface PathAnswers
  extends Perhaps<{
    kind: 'public' | 'proxy' | 'expressroute' | 'private-link';
    sourceAddress: string;
    interface: string;
    gateway: string;
    peers: readonly string[];
    nameServers: readonly string[];
    addresses: readonly string[];
  }> {
  readonly proxy: Perhaps<{ host: string; port: number; user: string; password: string; trust: string; except: readonly string[] }>;
}

/** The key that machines of a workspace enrol with. */
export interface EnrolmentKeyAnswers extends Perhaps<{ name: string; key: string; approve: string }> {}

const path: Schema<PathAnswers> = section<PathAnswers>({
  kind: optional(oneOf(['public', 'proxy', 'expressroute', 'private-link']), 'public', 'The road that data takes.'),
  proxy: section<PathAnswers['proxy']>({
    host: optional(host, 'none', 'The proxy (HTTP CONNECT).'),
    port: optional(port, '8080', "The proxy's port."),
    user: optional(
      text('name', 'a user name without a colon', (value) => !value.includes(':')),
      'none',
      'User at the proxy.',
    ),
    password: optional(secretText, 'none', "That user's password."),
    trust: optional(authorities, 'none', 'Authorities (PEM) of a proxy that looks into TLS.'),
    except: optional(list(proxyException), 'none', 'Hosts reached without the proxy.'),
  }),
  sourceAddress: optional(ipAddress, 'none', 'Local address that connections come from.'),
  interface: optional(link, 'none', 'Network interface that connections leave by.'),
  gateway: optional(ipAddress, 'none', 'Next hop of that road.'),
  peers: optional(list(prefix), 'none', "Prefixes that the service's address must lie in."),
  nameServers: optional(list(nameServer), "the system's", 'Name servers to ask for the service.'),
  addresses: optional(list(ipAddress), 'none', 'Addresses of the service, in place of asking for its name.'),
});

const enrolmentKey: Schema<EnrolmentKeyAnswers> = check(
  section<EnrolmentKeyAnswers>({
    name: optional(keyName, 'none', 'Name of the key that machines enrol with; it is made if there is none of that name.'),
    key: optional(keyText, 'made by chance', 'The key itself (base64), where agents have one already.'),
    approve: optional(approval, 'none', 'Which of its machines need no operator: none, all, or those whose host name fits a pattern.'),
  }),
  {
    at: ['name'],
    isGood: (found) => found?.name !== undefined || (found?.key === undefined && found?.approve === undefined),
    problem: () => 'missing; an enrolment key needs a name, such as site',
  },
);

const id = text('id', 'a GUID or a name', (value) => /^[\w.-]{1,128}$/.test(value));

const workspaceFields: Schema<WorkspaceAnswers> = section<WorkspaceAnswers>({
  id: required(
    {
      ...text('GUID', 'a workspace id, a GUID such as 3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'),
      read: (found) => (typeof found === 'string' ? readWorkspaceId(found) : undefined),
      write: (value: WorkspaceId) => value,
    },
    "The workspace's GUID.",
  ),
  name: optional(text('name', 'a name'), 'its id', 'What people call it.'),
  protocol: optional(oneOf(['operational-data', 'logs-ingestion']), 'logs-ingestion with a ruleId, else operational-data', 'How data is sent to it.'),
  endpoint: optional(httpsAddress, 'built from the id', 'Address of the data collection endpoint, of a local workspace, or of another relay.'),
  sharedKey: optional(keyText, 'none', "The workspace's shared key; with the protocol operational-data."),
  ruleId: optional(ruleId, 'none', 'Immutable id of the data collection rule; with the protocol logs-ingestion, as the three below.'),
  tenant: optional(id, 'none', 'The tenant: a GUID or a domain.'),
  client: optional(id, 'none', "The application's id."),
  secret: optional(secretText, 'none', "The application's secret."),
  cloud: optional(oneOf(['public', 'us-government', 'china']), 'public', 'Which cloud.'),
  authority: optional(httpsAddress, "the cloud's", 'Address of the sign-in service.'),
  trust: optional(authorities, "the system's", 'Authorities (PEM) that its server is verified by.'),
  signInTrust: optional(authorities, "the system's", 'Authorities (PEM) that the sign-in service is verified by.'),
  path,
  enrolmentKey,
});

const SIGN_IN_ONLY = ['ruleId', 'tenant', 'client', 'secret', 'cloud', 'authority', 'signInTrust'] as const;

/** How data is sent to a workspace, said or not. */
export function protocolOf({ protocol, ruleId: rule }: Pick<WorkspaceAnswers, 'protocol' | 'ruleId'>): 'operational-data' | 'logs-ingestion' {
  return protocol ?? (rule === undefined ? 'operational-data' : 'logs-ingestion');
}

/** The schema of one workspace. */
export const workspaceAnswers: Schema<WorkspaceAnswers> = SIGN_IN_ONLY.reduce<Schema<WorkspaceAnswers>>(
  (schema, name) =>
    check(schema, {
      at: [name],
      isGood: (found) => found?.[name] === undefined || protocolOf(found) === 'logs-ingestion',
      problem: () => 'found, but only the protocol logs-ingestion uses it; give a ruleId, or leave it out',
    }),
  check(workspaceFields, {
    at: ['sharedKey'],
    isGood: (found) => found?.sharedKey === undefined || protocolOf(found) === 'operational-data',
    problem: () => 'found, but the protocol logs-ingestion signs in with tenant, client and secret; leave it out',
  }),
);
