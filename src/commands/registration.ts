/** What `relay register` must know of a workspace: from the flags, and from the person at the terminal where they say nothing. */
import type { WorkspaceEntry } from '../configuration/put-workspace.ts';
import type { Ask } from './ask.ts';
import { CommandFailure, EXIT } from './output.ts';

/** As commander gives them. */
export interface RegistrationFlags {
  readonly workspace?: string;
  readonly name?: string;
  readonly protocol?: string;
  readonly endpoint?: string;
  readonly trustFile?: string;
  readonly ruleId?: string;
  readonly cloud?: string;
  readonly tenant?: string;
  readonly client?: string;
  readonly secretFile?: string;
  readonly certificateFile?: string;
  readonly managedIdentity?: boolean;
  readonly authority?: string;
  readonly signInTrustFile?: string;
  readonly path?: string;
}

/** A complete registration. */
export interface Registration {
  readonly flags: RegistrationFlags & { readonly workspace: string };
  /** Typed at the terminal: to be put into a file. */
  readonly secret?: string;
}

type Needed = readonly [flag: keyof RegistrationFlags, option: string, question: string];

const PROTOCOLS = ['operational-data', 'logs-ingestion'];

/** What the flags say, completed by asking. Throws with exit code 2 and all that is missing when there is nobody to ask. */
export async function completeRegistration(given: RegistrationFlags, ask: Ask): Promise<Registration> {
  if (!ask.isThere) {
    const missing = neededFor(given)
      .filter(([flag]) => given[flag] === undefined)
      .map(([, option]) => option);
    if (needsSecret(given)) missing.push('--secret-file <file>');
    if (missing.length > 0) throw new CommandFailure(EXIT.usage, `There is no terminal to ask at, and these are missing: ${missing.join(', ')}`);
    return { flags: given as Registration['flags'] };
  }
  const first = given.protocol ?? (await ask.line(`Protocol (${PROTOCOLS.join(', ')})`, 'logs-ingestion'));
  let flags: RegistrationFlags = { ...given, protocol: first };
  for (const [flag, , question] of neededFor(flags)) {
    if (flags[flag] === undefined) flags = { ...flags, [flag]: await ask.line(question) };
  }
  if (given.name === undefined && given.workspace === undefined) {
    const name = await ask.line('What people call it (empty: its id)', '');
    flags = name === '' ? flags : { ...flags, name };
  }
  if (first === 'operational-data' && flags.endpoint === undefined) {
    const endpoint = await ask.line('Address of the local workspace or relay, https://… (empty: built from the id)', '');
    flags = endpoint === '' ? flags : { ...flags, endpoint };
  }
  const complete = flags as Registration['flags'];
  if (!needsSecret(flags)) return { flags: complete };
  return { flags: complete, secret: await ask.secret(first === 'logs-ingestion' ? 'Secret of the application' : 'Shared key of the workspace') };
}

function neededFor({ protocol, managedIdentity }: RegistrationFlags): readonly Needed[] {
  const all: Needed[] = [
    ['workspace', '--workspace <guid>', 'Id of the workspace (GUID)'],
    ['protocol', '--protocol <protocol>', 'Protocol'],
  ];
  if (protocol === 'operational-data') return all;
  all.push(
    ['endpoint', '--endpoint <address>', 'Address of the data collection endpoint, or of a direct rule (https://…)'],
    ['ruleId', '--rule-id <dcr-…>', 'Immutable id of the data collection rule (dcr-…, not its name)'],
  );
  if (managedIdentity) return all;
  return [...all, ['tenant', '--tenant <id>', 'Tenant (GUID or domain)'], ['client', '--client <id>', 'Id of the application (client id)']];
}

function needsSecret({ secretFile, certificateFile, managedIdentity }: RegistrationFlags): boolean {
  return secretFile === undefined && certificateFile === undefined && managedIdentity !== true;
}

/** The workspace as the configuration file is to hold it. `secretFile` is the place of the secret, whoever put it there. */
export function entryOf(flags: Registration['flags'], secretFile: string | undefined): WorkspaceEntry {
  const { workspace, name, protocol, endpoint, trustFile, path } = flags;
  const common = { id: workspace, name, protocol, trustFile, path: { kind: path } };
  if (protocol !== 'logs-ingestion') return { ...common, endpoint, sharedKeyFile: secretFile };
  const { ruleId, cloud, tenant, client, certificateFile, managedIdentity, authority, signInTrustFile } = flags;
  const signIn = {
    method: managedIdentity ? 'managed-identity' : certificateFile === undefined ? 'client-secret' : 'client-certificate',
    cloud,
    tenantId: tenant,
    clientId: client,
    secretFile: managedIdentity || certificateFile !== undefined ? undefined : secretFile,
    certificateFile,
    authority,
    trustFile: signInTrustFile,
  };
  return { ...common, ingestion: { endpoint, ruleId, signIn } };
}
