import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { openMachine } from '../backup/machine.ts';
import { createMachineSecrets, type MachineSecrets } from '../backup/machine-secrets.ts';
import { type MadeBackup, makeBackup } from '../backup/make-backup.ts';
import { DATABASE, type Part } from '../backup/state-files.ts';
import { systemClock } from '../clock.ts';
import type { Environment } from '../configuration/environment.ts';
import { configurationFile, loadConfiguration } from '../configuration/load.ts';
import type { Configuration } from '../configuration/schema.ts';
import { fetchFile } from '../control/fetch-file.ts';
import { appliancePlaces } from '../host/places.ts';
import { type Programs, systemPrograms } from '../host/run-program.ts';
import { copyOfStopped } from '../management-group/copy.ts';
import { roughSize } from '../rough.ts';
import { type Ask, terminal } from './ask.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';
import { newPassphrase } from './passphrase.ts';
import type { SocketFlags } from './relay-socket.ts';
import { packageVersion } from './version.ts';

interface BackupFlags extends SocketFlags {
  readonly out?: string;
  readonly passphraseFile?: string;
  readonly offline?: boolean;
  readonly withAudit?: boolean;
  readonly withCache?: boolean;
}

/** Where the command finds things, and whom it asks. */
export interface BackupParts {
  readonly outputFor: (json: boolean) => Output;
  readonly ask: Ask;
  /** Where the machine's file system begins: for tests. */
  readonly root: string;
  readonly programs: Programs;
}

/** `relay backup`: all that makes this relay the one its agents know, in one file that only a passphrase opens. */
export function backupCommand(env: Environment, parts: Partial<BackupParts> = {}): Command {
  const found: BackupParts = { outputFor: createOutput, ask: terminal, root: '/', programs: systemPrograms, ...parts };
  return new Command('backup')
    .description('write authority, agents, keys, configuration and the secrets it names into one file, encrypted with a passphrase, while the relay runs')
    .option('--out <file>', 'the file, mode 0600, instead of relay-<host>-<time>.tar.gz.age in this folder')
    .option('--passphrase-file <file>', 'read the passphrase from this file, or from standard input (-), instead of asking for it')
    .option('--with-audit', 'the audit log as well; without it the restored relay begins a new one, with the same key')
    .option('--with-cache', 'what waits in the cache as well, dead letters and loss ledger with it; only of a relay that is stopped (--offline)')
    .option('--offline', 'of a relay that is stopped')
    .option('--config <file>', 'the configuration file; it goes in as well')
    .option('--socket <path>', "the relay's control socket, instead of the configuration's")
    .option('--json', 'as JSON')
    .action((flags: BackupFlags) => run(flags, env, found));
}

async function run(flags: BackupFlags, env: Environment, { outputFor, ask, root, programs }: BackupParts): Promise<void> {
  // A cache moves while it is copied: a batch that moved at the wrong moment would be in no file of the copy.
  if (flags.withCache && !flags.offline)
    throw new CommandFailure(
      EXIT.usage,
      'A cache can be copied only while nothing moves in it. Stop the relay and add --offline; without --with-cache no stop is needed.',
    );
  const source = { file: flags.config, env };
  const configuration = await loadConfiguration(source);
  const { store, places } = await openMachine(appliancePlaces(root), programs);
  const { CREDENTIALS_DIRECTORY: credentialsFolder } = env;
  const secrets: MachineSecrets = createMachineSecrets({ credentialsFolder, openedCredentials: places.openedCredentials, store });
  const out = resolve(flags.out ?? `relay-${fileName(hostname())}-${timeName(systemClock.now())}.tar.gz.age`);
  const passphrase = await newPassphrase({ file: flags.passphraseFile, ask, warn: say });
  const parts = partsOf(flags);
  const made = await makeBackup({
    configuration,
    configurationFile: configurationFile(source),
    secrets,
    parts,
    copyDatabase: (path) => copyDatabase(flags, configuration, { path, out, parts }),
    isLive: !flags.offline,
    passphrase,
    out,
    release: packageVersion,
    host: hostname(),
    now: systemClock.now,
  });
  print(outputFor(flags.json ?? false), made);
}

// Asking the relay also enters the backup into its audit log. One that is stopped enters nothing.
async function copyDatabase(
  flags: BackupFlags,
  configuration: Configuration,
  { path, out, parts }: { readonly path: string; readonly out: string; readonly parts: readonly Part[] },
): Promise<void> {
  if (flags.offline) return copyOfStopped(`${configuration.data}/${DATABASE}`, path);
  await fetchFile(flags.socket ?? configuration.control.socket, { path: '/backups', body: { name: out.slice(-200), parts } }, path);
}

function partsOf({ withAudit, withCache }: BackupFlags): readonly Part[] {
  return ['state', ...(withAudit ? (['audit'] as const) : []), ...(withCache ? (['cache'] as const) : [])];
}

function print(output: Output, { path, bytes, sums, manifest }: MadeBackup): void {
  const { agents, rootFingerprint, parts, leftOut, madeAt } = manifest;
  const value = { path, bytes, files: sums.map(({ name, bytes: size }) => ({ name, bytes: size })), agents, rootFingerprint, parts, leftOut, madeAt };
  printValue(output, value, textOf({ path, bytes, sums, manifest }));
}

function textOf({ path, bytes, sums, manifest: { agents, rootFingerprint, parts, leftOut, files, isLive } }: MadeBackup): string {
  const lines = [
    `${path} (${roughSize(bytes)}). It was read back: all ${sums.length} files in it are as they were written.`,
    `In it: ${agents} agents, the authority (root ${rootFingerprint}), the keys, the configuration and ${files.length} files that it names${parts.includes('audit') ? ', the audit log' : ''}${parts.includes('cache') ? ', the cache' : ''}.`,
    ...leftOut.map(({ what, reason }) => `Not in it: ${what}: ${reason}.`),
    ...(parts.includes('cache')
      ? []
      : [
          `Not in it: batches${isLive ? ' that wait in the cache now, or come from now on' : ' that wait in the cache'}; they are on this machine's disk alone.`,
        ]),
    'Keep it away from this machine, and the passphrase away from both: whoever has the two is this relay; without the passphrase nobody can open it.',
    'Restore it: relay restore <file>. Look into it without Relay: age --decrypt <file> | tar --list --gzip --file -',
  ];
  return lines.join('\n');
}

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

function timeName(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function fileName(host: string): string {
  return host.replaceAll(/[^\w.-]/g, '-').slice(0, 64);
}
