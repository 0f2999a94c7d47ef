import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { CertificateForMachine, CreatedSender, ListedSender, SenderCredential } from '../control/api.ts';
import { readSecretFile } from '../files.ts';
import { CONFIGURATIONS, configurationOf } from '../sender-configuration/configurations.ts';
import type { Column } from '../table.ts';
import { readDuration } from '../units.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

const DEFAULT_ROOTS = '/etc/relay-sender/relay-roots.pem';
const DEFAULT_GRACE = '1d';

const COLUMNS: readonly Column<ListedSender>[] = [
  ['NAME', ({ name }) => name],
  ['CLIENT ID', ({ clientId }) => clientId],
  ['WORKSPACE', ({ workspaceId }) => workspaceId],
  ['STATE', ({ state }) => state],
  ['SECRETS', ({ secrets }) => secrets.length],
  ['NEWEST SECRET', ({ secrets }) => moment(secrets[0]?.createdAt)],
  ['BATCHES', ({ receivedBatches }) => receivedBatches],
  ['LAST SEEN', ({ lastSeenAt }) => moment(lastSeenAt)],
];

interface CreateFlags extends SocketFlags {
  readonly name: string;
  readonly workspace: string;
  readonly clientId?: string;
  readonly secretFile?: string;
  readonly out?: string;
}

interface RotateFlags extends SocketFlags {
  readonly grace: number;
  readonly secretFile?: string;
  readonly out?: string;
}

/** `relay senders create | list | rotate | config | certificate`: programs that sign in with a secret. A secret is printed once, or written to a file. */
export function sendersCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const create = relayCommand('create', 'make a sender: an approved agent that signs in with a secret')
    .requiredOption('--name <name>', 'what to call it, such as web01')
    .requiredOption('--workspace <workspace>', 'the workspace that its data goes to: name or id')
    .option('--client-id <guid>', 'the client id that it has already')
    .option('--secret-file <file>', 'take the secret in this file instead of making one: its workspace key, or its client secret')
    .option('--out <file>', 'write the secret to this file, mode 0600, instead of printing it')
    .action((flags: CreateFlags) => createSender(flags, parts));
  const list = relayCommand('list', 'list the senders, without their secrets').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    printRows(output, await get<ListedSender[]>('/senders'), COLUMNS, 'No senders.');
  });
  const rotate = relayCommand('rotate', 'give a sender another secret')
    .argument('<name>', 'its name or client id')
    .option('--grace <duration>', 'how long those before are still good', toDuration, readDuration(DEFAULT_GRACE))
    .option('--secret-file <file>', 'take the secret in this file instead of making one')
    .option('--out <file>', 'write the secret to this file, mode 0600, instead of printing it')
    .action((name: string, flags: RotateFlags) => rotateSender(name, flags, parts));
  return new Command('senders')
    .description('programs that send without a certificate of their own')
    .addCommand(create)
    .addCommand(list)
    .addCommand(rotate)
    .addCommand(configCommand(parts))
    .addCommand(certificateCommand(parts));
}

function configCommand(parts: SessionParts): Command {
  const kinds = CONFIGURATIONS.map(({ kind, about }) => `  ${kind.padEnd(16)}${about}`).join('\n');
  return relayCommand('config', "print a sender's configuration for this relay, its secret included")
    .addArgument(new Argument('<kind>', 'what sends').choices(CONFIGURATIONS.map(({ kind }) => kind)))
    .requiredOption('--name <name>', 'its name or client id')
    .option('--roots <file>', "where the relay's roots are on the sender's machine", DEFAULT_ROOTS)
    .addHelpText('after', `\nKinds:\n${kinds}`)
    .action(async (kind: string, flags: SocketFlags & { readonly name: string; readonly roots: string }) => {
      const { get, output } = await openSession(flags, parts);
      const credential = await get<SenderCredential>(`/senders/${encodeURIComponent(flags.name)}/credential`);
      const text = configurationOf(kind)?.write(credential, flags.roots) ?? '';
      printValue(output, { kind, configuration: text }, text.trimEnd());
    });
}

function certificateCommand(parts: SessionParts): Command {
  return relayCommand('certificate', 'make a key and a certificate for a sender, for protocols that want one, such as syslog')
    .argument('<name>', 'its name or client id')
    .requiredOption('--out <folder>', 'the folder for <name>.key, <name>.pem and relay-roots.pem')
    .action(async (name: string, flags: SocketFlags & { readonly out: string }) => {
      const { get, post, output } = await openSession(flags, parts);
      const wanted = (await get<ListedSender[]>('/senders')).find(
        (one) => one.name.toLowerCase() === name.toLowerCase() || one.clientId === name.toLowerCase(),
      );
      if (!wanted) throw new CommandFailure(EXIT.failed, `There is no sender "${name}". List them with: relay senders list`);
      // The private key never leaves this process but for its file.
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const issued = await post<CertificateForMachine>('/authority/agent-certificates', {
        workspaceId: wanted.workspaceId,
        agentId: wanted.clientId,
        hostName: wanted.name,
        publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
      });
      await mkdir(flags.out, { recursive: true, mode: 0o700 });
      const files = {
        [`${wanted.name}.key`]: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
        [`${wanted.name}.pem`]: issued.certificate,
        'relay-roots.pem': issued.roots.join(''),
      };
      for (const [file, text] of Object.entries(files)) await writeSecret(join(flags.out, file), text);
      printValue(
        output,
        { folder: flags.out, files: Object.keys(files) },
        `${Object.keys(files).join(', ')} are in ${flags.out}. Renew the certificate before it ends: by EST with itself, or with this command.`,
      );
    });
}

async function createSender(flags: CreateFlags, parts: SessionParts): Promise<void> {
  const { post, output } = await openSession(flags, parts);
  const created = await post<CreatedSender>('/senders', {
    name: flags.name,
    workspaceId: flags.workspace,
    clientId: flags.clientId,
    secret: await secretIn(flags.secretFile),
  });
  await hand(created, flags, output, `The sender ${flags.name} (client id ${created.sender.clientId})`);
}

async function rotateSender(name: string, flags: RotateFlags, parts: SessionParts): Promise<void> {
  const { post, output } = await openSession(flags, parts);
  const rotated = await post<CreatedSender>(`/senders/${encodeURIComponent(name)}/rotate`, { graceMs: flags.grace, secret: await secretIn(flags.secretFile) });
  await hand(rotated, flags, output, `The sender ${rotated.sender.name}`);
}

// What was given is not shown again; what was made is, once.
async function hand(created: CreatedSender, flags: Pick<CreateFlags, 'secretFile' | 'out'>, output: Output, who: string): Promise<void> {
  if (flags.secretFile !== undefined) return printValue(output, { sender: created.sender }, `${who} signs in with the secret in ${flags.secretFile}.`);
  if (flags.out === undefined) return printValue(output, created, created.secret);
  await writeSecret(flags.out, `${created.secret}\n`);
  printValue(output, { sender: created.sender }, `${who} signs in with the secret in ${flags.out}.`);
}

async function secretIn(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : await readSecretFile(file, (message) => void process.stderr.write(`${message}\n`));
}

async function writeSecret(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new CommandFailure(EXIT.failed, `It was made, but ${path} could not be written. Make another, with: relay senders rotate`, { cause });
  }
}

function toDuration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined || ms < 0) throw new InvalidArgumentError('A duration such as 0s, 12h or 7d.');
  return ms;
}
