import { domainAndPort, httpsAddress, list, oneOf, path, port, secretFile, text } from '../option-kinds.ts';
import { check, type Kind, option, optional, required, type Schema, section, sections } from '../options.ts';
import { type IngestionOptions, ingestionOptions, ruleId } from './ingestion-options.ts';
import { type PathOptions, pathOptions } from './path-options.ts';
import { handOutProblem, type SignInOptions, signInOptions, signInProblem } from './sign-in-options.ts';
import { readWorkspaceId, type WorkspaceId } from './workspace-id.ts';

export interface WorkspaceOptions {
  readonly id: WorkspaceId;
  /** What people call it; its id unless given. Unique. */
  readonly name: string;
  readonly protocol: 'operational-data' | 'logs-ingestion';
  /** Without `endpoint` it is reached at `https://<id>.oms.<domain>` and `https://<id>.ods.<domain>`; may hold a port. */
  readonly domain: string;
  /** An https address that stands for both hosts. */
  readonly endpoint?: string | undefined;
  /** Absolute path; there with the protocol `operational-data`. */
  readonly sharedKeyFile?: string | undefined;
  /** Absolute path of a PEM with the authorities to trust instead of the system's. */
  readonly trustFile?: string | undefined;
  /** What the protocol `logs-ingestion` needs. */
  readonly ingestion: IngestionOptions;
  /** The road its data takes. */
  readonly path: PathOptions;
  /** The road of signing in. */
  readonly signInPath: PathOptions;
  /** Names of further workspaces that get a copy of its data, each by its own schedule. */
  readonly copyTo: readonly string[];
  readonly direct: DirectOptions;
}

/** How agents reach the workspace without the relay. */
export interface DirectOptions {
  /** How an agent shows who it is there; `none`: agents have no direct way, everything goes through the relay. */
  readonly credential: 'none' | 'certificate' | 'token';
  /** The workspace's own address unless given. */
  readonly endpoint?: string | undefined;
  /** Absolute path; the workspace's own `trustFile` unless given. */
  readonly trustFile?: string | undefined;
  /** `none`, `tunnel` (the relay's own), or host and port of another HTTP CONNECT proxy. */
  readonly proxy: string;
  /** Immutable id of the rule that agents send to with their tokens. */
  readonly ruleId?: string | undefined;
  /** The application whose tokens agents get; never the relay's own. */
  readonly signIn: SignInOptions;
}

type WorkspaceFields = Omit<WorkspaceOptions, 'name'> & { readonly name?: string | undefined };

const workspaceId: Kind<WorkspaceId> = {
  ...text('GUID', 'a workspace id, a GUID such as 3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'),
  read: (found) => (typeof found === 'string' ? readWorkspaceId(found) : undefined),
};

const workspaceName = text('name', 'a name of 1 to 64 letters, digits, spaces, dots, hyphens or underscores', (value) =>
  /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(value),
);

const proxy: Kind<string> = {
  ...text('proxy', 'none, tunnel, or host:port of a proxy', isProxy),
  range: 'none, tunnel, host:port',
};

const direct: Schema<DirectOptions> = section<DirectOptions>({
  credential: option(
    oneOf<DirectOptions['credential']>(['none', 'certificate', 'token']),
    'none',
    'How agents sign in where their data goes straight: with their certificate from the management group, or with a token. none: everything goes through the relay.',
  ),
  endpoint: optional(httpsAddress, "the workspace's own", 'Address that agents send to when their data goes straight.'),
  trustFile: optional(path, "the workspace's own", 'File with the authorities (PEM) that agents verify it by.'),
  proxy: option(proxy, 'none', "What agents go through when they have no way out: the relay's tunnel, or another proxy (HTTP CONNECT)."),
  ruleId: optional(ruleId, 'none', 'Immutable id of the data collection rule that agents send to with tokens; required with the credential token.'),
  signIn: signInOptions,
});

const fields = section<WorkspaceFields>({
  id: required(workspaceId, "The workspace's GUID."),
  name: optional(workspaceName, 'its id', 'What people call it, on the command line and in metrics.'),
  protocol: option(
    oneOf<WorkspaceOptions['protocol']>(['operational-data', 'logs-ingestion']),
    'operational-data',
    'How data is sent to it: to a local workspace or another relay, or to Azure.',
  ),
  domain: option(domainAndPort, 'opinsights.azure.com', 'The service it belongs to: it is reached at https://<id>.oms.<domain> and https://<id>.ods.<domain>.'),
  endpoint: optional(httpsAddress, 'built from id and domain', 'One address instead of those two: another relay, or a local workspace.'),
  sharedKeyFile: optional(secretFile, 'none', "File with the workspace's shared key, mode 0600; required with the protocol operational-data."),
  trustFile: optional(path, "the system's", 'File with the authorities (PEM) its server is verified by.'),
  ingestion: ingestionOptions,
  path: pathOptions,
  signInPath: pathOptions,
  copyTo: option(
    list(workspaceName),
    [],
    'Names of up to four further workspaces that get a copy of what agents send here for it, each by its own schedule and in its own books. A copy is not copied on.',
  ),
  direct,
});

const MOST_COPIES = 4;

const copied = check(fields, {
  at: ['copyTo'],
  isGood: (workspace) => copyProblem(workspace) === undefined,
  problem: (workspace) => copyProblem(workspace) ?? '',
});

const complete = check(
  check(copied, {
    at: ['sharedKeyFile'],
    isGood: ({ protocol, sharedKeyFile }) => protocol !== 'operational-data' || sharedKeyFile !== undefined,
    problem: () => 'not given; the protocol operational-data needs it',
  }),
  {
    at: ['ingestion'],
    isGood: ({ protocol, ingestion }) => protocol !== 'logs-ingestion' || (ingestion?.endpoint !== undefined && ingestion.ruleId !== undefined),
    problem: () => 'found no endpoint or no ruleId; the protocol logs-ingestion needs both',
  },
);

const signsIn = check(
  check(complete, {
    at: ['ingestion', 'signIn'],
    isGood: ({ protocol, ingestion }) => protocol !== 'logs-ingestion' || signInProblem(ingestion?.signIn) === undefined,
    problem: ({ ingestion }) => signInProblem(ingestion?.signIn) ?? '',
  }),
  {
    at: ['direct', 'signIn'],
    isGood: ({ direct: found, ingestion }) => handOutProblem(found?.signIn, ingestion?.signIn) === undefined,
    problem: ({ direct: found, ingestion }) => handOutProblem(found?.signIn, ingestion?.signIn) ?? '',
  },
);

const workspaces = sections(signsIn.transform((workspace): WorkspaceOptions => ({ ...workspace, name: workspace.name ?? workspace.id })));

const idsDiffer = check(workspaces, {
  at: [],
  isGood: (list) => repeatedIn(list, 'id') === undefined,
  problem: (list) => `found the id ${repeatedIn(list, 'id')} more than once; each workspace is given once`,
});

const copiesKnown = check(idsDiffer, {
  at: [],
  isGood: (list) => strangeCopy(list) === undefined,
  problem: (list) => `found copyTo ${JSON.stringify(strangeCopy(list))}; no workspace has that name`,
});

export const workspacesOptions: Schema<readonly WorkspaceOptions[]> = check(copiesKnown, {
  at: [],
  isGood: (list) => repeatedIn(list, 'name') === undefined,
  problem: (list) => `found the name ${JSON.stringify(repeatedIn(list, 'name'))} more than once; names are unique`,
});

function isProxy(value: string): boolean {
  if (value === 'none' || value === 'tunnel') return true;
  const url = URL.parse(`http://${value}`);
  const [, given] = /:(\d+)$/.exec(value) ?? [];
  return url !== null && given !== undefined && port.read(Number(given)) !== undefined && /^[\w.:[\]-]+$/.test(value) && url.username === '';
}

// What could not be read is whatever was found.
function copyProblem({ id, name = id, copyTo }: Partial<WorkspaceFields>): string | undefined {
  const names = namesIn(copyTo);
  if (names.length > MOST_COPIES) return `found ${names.length} names; at most ${MOST_COPIES}`;
  if (name !== undefined && names.includes(name)) return `found ${JSON.stringify(name)}, the workspace itself; names of others`;
  const repeated = names.find((one, index) => names.indexOf(one) < index);
  return repeated === undefined ? undefined : `found ${JSON.stringify(repeated)} more than once; each workspace gets one copy`;
}

function strangeCopy(list: unknown): string | undefined {
  const found = Array.isArray(list) ? list.map((item: Partial<WorkspaceOptions> | null) => item ?? {}) : [];
  const names = found.map(({ id, name = id }) => name);
  return found.flatMap(({ copyTo }) => namesIn(copyTo)).find((name) => !names.includes(name));
}

function namesIn(copyTo: unknown): readonly string[] {
  return Array.isArray(copyTo) ? copyTo.filter((name) => typeof name === 'string') : [];
}

// Items that could not be read are whatever was found.
function repeatedIn(list: unknown, member: 'id' | 'name'): string | undefined {
  const values = Array.isArray(list) ? list.map((item: Partial<WorkspaceOptions> | null) => item?.[member]).filter((value) => typeof value === 'string') : [];
  return values.find((value, index) => values.indexOf(value) < index);
}
