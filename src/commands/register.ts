import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { chown, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { systemClock } from '../clock.ts';
import type { Environment } from '../configuration/environment.ts';
import { configurationFile, loadConfiguration } from '../configuration/load.ts';
import { putWorkspace } from '../configuration/put-workspace.ts';
import type { Configuration } from '../configuration/schema.ts';
import { examine } from '../doctor/doctor.ts';
import { type Finding, worstOf } from '../doctor/finding.ts';
import { reportOf } from '../doctor/report.ts';
import { RelayError } from '../errors.ts';
import { readFileIfAny, writeFileAtomic } from '../files.ts';
import { readWorkspaceId } from '../workspace/workspace-id.ts';
import { type Ask, terminal } from './ask.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';
import { completeRegistration, entryOf, type Registration, type RegistrationFlags } from './registration.ts';
import { packageVersion } from './version.ts';

const CHECK_LIMIT_MS = 5_000;

interface RegisterFlags extends RegistrationFlags {
  readonly config?: string;
  readonly upload?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export interface RegisterParts {
  readonly outputFor?: (json: boolean) => Output;
  readonly ask?: Ask;
}

/** `relay register`: asks for what a workspace needs, has the doctor check it, and writes it into the configuration file. */
export function registerCommand(env: Environment, { outputFor = createOutput, ask = terminal }: RegisterParts = {}): Command {
  return new Command('register')
    .description('add a workspace to the configuration, or change it: ask, check, write')
    .option('--workspace <guid>', 'id of the workspace')
    .option('--name <name>', 'what people call it')
    .addOption(new Option('--protocol <protocol>', 'how data is sent to it').choices(['operational-data', 'logs-ingestion']))
    .option('--endpoint <address>', 'https address: of the data collection endpoint, or of a local workspace or another relay')
    .option('--trust-file <file>', 'authorities (PEM) its server is verified by')
    .option('--rule-id <id>', 'immutable id of the data collection rule')
    .addOption(new Option('--cloud <cloud>', 'which cloud').choices(['public', 'us-government', 'china']))
    .option('--tenant <id>', 'the tenant: a GUID or a domain')
    .option('--client <id>', 'id of the application')
    .option('--secret-file <file>', "file with the application's secret or the workspace's shared key; - reads it from standard input")
    .option('--certificate-file <file>', 'sign in with this certificate and key (PEM) instead')
    .option('--managed-identity', 'sign in as this machine (Azure Arc) instead')
    .option('--authority <address>', "address of the sign-in service, in place of the cloud's")
    .option('--sign-in-trust-file <file>', 'authorities (PEM) the sign-in service is verified by')
    .addOption(new Option('--path <kind>', 'the road that data takes').choices(['public', 'proxy', 'expressroute', 'private-link']))
    .option('--upload', 'let the check send one test record')
    .option('--yes', 'write without asking, if the check finds nothing wrong')
    .option('--force', 'write even if the check finds something wrong')
    .option('--config <file>', 'the configuration file; it is made if there is none')
    .option('--json', 'as JSON')
    .action((flags: RegisterFlags) => register(flags, { env, output: outputFor(flags.json ?? false), ask }));
}

interface Context {
  readonly env: Environment;
  readonly output: Output;
  readonly ask: Ask;
}

async function register(flags: RegisterFlags, context: Context): Promise<void> {
  const { env, output, ask } = context;
  if (!ask.isThere && !flags.yes && !flags.force)
    throw new CommandFailure(EXIT.usage, `There is no terminal to ask at, and this is missing: --yes${missingBeside(await tryComplete(flags, ask))}`);
  const registration = await fillIn(await completeRegistration(flags, ask));
  const file = configurationFile({ file: flags.config, env });
  const before = (await readFileIfAny(file))?.toString();
  const place = join(dirname(file), `${registration.flags.workspace}.secret`);

  const findings = await check({ registration, file, before: before ?? '', upload: flags.upload ?? false, env });
  const worst = worstOf(findings);
  if (!output.json) output.line(reportOf(findings));
  if (!(await mayWrite(worst, flags, ask))) {
    if (output.json) output.line(JSON.stringify({ written: false, worst, findings }));
    throw new CommandFailure(EXIT.failed, 'Nothing was written.');
  }

  const { text, replaced } = putWorkspace(before ?? '', entryOf(registration.flags, secretPlace(registration, place)));
  const owner = await stat(before === undefined ? dirname(file) : file);
  const mode = before === undefined ? 0o600 : owner.mode & 0o777;
  if (registration.secret !== undefined) await writeOwned(place, `${registration.secret}\n`, { uid: owner.uid, gid: owner.gid, mode: 0o600 });
  const backup = before === undefined ? undefined : `${file}.before`;
  if (backup !== undefined) await writeOwned(backup, before ?? '', { uid: owner.uid, gid: owner.gid, mode });
  await writeOwned(file, text, { uid: owner.uid, gid: owner.gid, mode });
  const name = registration.flags.name ?? registration.flags.workspace;
  const kept = backup === undefined ? '' : ` The file before is ${backup}.`;
  printValue(
    output,
    { written: true, file, backup, workspace: registration.flags.workspace, replaced, worst, findings },
    `\nThe workspace ${name} was ${replaced ? 'changed' : 'added'} in ${file}.${kept} A running relay takes it at its next start: systemctl restart relay`,
  );
}

// Run by root, the relay's own user must still be able to read what was written.
async function writeOwned(path: string, content: string, { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>): Promise<void> {
  await writeFileAtomic(path, content, mode);
  if (process.getuid?.() === 0) await chown(path, uid, gid);
}

async function tryComplete(flags: RegisterFlags, ask: Ask): Promise<string | undefined> {
  try {
    await completeRegistration(flags, ask);
    return undefined;
  } catch (error) {
    return error instanceof CommandFailure ? error.message : undefined;
  }
}

function missingBeside(message: string | undefined): string {
  return message === undefined ? '' : `, ${message.slice(message.indexOf(': ') + 2)}`;
}

// Paths are the caller's own, and mean the same wherever the file is; the secret may come from standard input.
async function fillIn({ flags, secret }: Registration): Promise<Registration> {
  const workspace = readWorkspaceId(flags.workspace);
  if (workspace === undefined)
    throw new CommandFailure(EXIT.usage, `Found the workspace ${JSON.stringify(flags.workspace)}; a GUID such as 3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f.`);
  const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));
  const isPiped = flags.secretFile === '-';
  const paths = { trustFile: absolute(flags.trustFile), certificateFile: absolute(flags.certificateFile), signInTrustFile: absolute(flags.signInTrustFile) };
  const complete = { ...flags, ...definedOf(paths), workspace };
  const given = isPiped ? (await textOf(process.stdin)).trim() : secret;
  if (given === '') throw new CommandFailure(EXIT.usage, 'The secret is empty.');
  if (given !== undefined) return { flags: complete, secret: given };
  return { flags: flags.secretFile === undefined ? complete : { ...complete, secretFile: resolve(flags.secretFile) } };
}

function definedOf(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((each): each is [string, string] => each[1] !== undefined));
}

function secretPlace({ flags, secret }: Registration, place: string): string | undefined {
  return secret === undefined ? flags.secretFile : place;
}

interface Checking {
  readonly registration: Registration;
  readonly file: string;
  readonly before: string;
  readonly upload: boolean;
  readonly env: Environment;
}

/** What the doctor says of the workspace as it would be, by drafts beside the real files that are gone afterwards. */
async function check({ registration, file, before, upload, env }: Checking): Promise<readonly Finding[]> {
  const draft = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`);
  const draftSecret = `${draft}.secret`;
  try {
    if (registration.secret !== undefined) await writeFileAtomic(draftSecret, `${registration.secret}\n`, 0o600);
    await writeFileAtomic(draft, putWorkspace(before, entryOf(registration.flags, secretPlace(registration, draftSecret))).text, 0o600);
    const configuration = await loadDraft(draft, file, env);
    const workspaces = configuration.workspaces.filter(({ id }) => id === registration.flags.workspace);
    return await examine({
      configuration,
      file,
      version: packageVersion,
      limitMs: CHECK_LIMIT_MS,
      upload,
      workspaces,
      workspacesOnly: true,
      now: systemClock.now,
    });
  } finally {
    await rm(draft, { force: true });
    await rm(draftSecret, { force: true });
  }
}

async function loadDraft(draft: string, file: string, env: Environment): Promise<Configuration> {
  try {
    return await loadConfiguration({ file: draft, env });
  } catch (cause) {
    if (!(cause instanceof RelayError)) throw cause;
    throw new RelayError(cause.code, `${cause.message.replaceAll(draft, file)}\nNothing was written.`);
  }
}

async function mayWrite(worst: ReturnType<typeof worstOf>, { yes, force }: RegisterFlags, ask: Ask): Promise<boolean> {
  if (force) return true;
  if (worst !== 'wrong' && yes) return true;
  if (!ask.isThere) return false;
  const question = worst === 'wrong' ? 'Something is wrong. Write it all the same? (y/N)' : 'Write it? (y/N)';
  return (await ask.line(question, 'n')).toLowerCase().startsWith('y');
}
