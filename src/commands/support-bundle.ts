import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { saveArchive } from '../bundle/archive.ts';
import { type Bundle, gatherBundle } from '../bundle/bundle.ts';
import { filesTable, leftOutTable } from '../bundle/manifest.ts';
import { linkToRelay, type RelayLink } from '../bundle/relay-link.ts';
import type { Configured } from '../bundle/site.ts';
import { systemClock } from '../clock.ts';
import type { Environment } from '../configuration/environment.ts';
import { configurationFile, loadConfiguration } from '../configuration/load.ts';
import { messageOf, RelayError } from '../errors.ts';
import { terminal } from './ask.ts';
import { askPerson, type Confirm } from './confirm.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';
import { relayCommand, type SocketFlags } from './relay-socket.ts';
import { packageVersion } from './version.ts';

const RELAY_MS = 5_000;

interface BundleFlags extends SocketFlags {
  readonly out?: string;
  readonly yes?: boolean;
}

/** What a bundle became, for a program. */
interface BundleResult {
  /** Absolute path. */
  readonly path: string;
  readonly bytes: number;
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
  readonly leftOut: Bundle['leftOut'];
  /** Whether the running relay entered it into its audit log. */
  readonly audited: boolean;
}

/** Where the command shows what it has gathered, and asks. */
export interface BundlePerson {
  /** Whether there is somebody to ask. */
  readonly isThere: boolean;
  show(text: string): void;
  readonly confirm: Confirm;
}

const atTheTerminal: BundlePerson = {
  get isThere() {
    return terminal.isThere;
  },
  // Standard output is for the result.
  show: (text) => void process.stderr.write(`${text}\n`),
  confirm: askPerson,
};

/** `relay support-bundle`: all that helps somebody far away to understand this relay, without secrets, in one archive. It needs no running relay. */
export function supportBundleCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput, person: BundlePerson = atTheTerminal): Command {
  return relayCommand('support-bundle', 'gather all that helps to understand this relay, without secrets, show what it is, and write it into one archive')
    .option('--out <file>', 'the archive, mode 0600, instead of relay-support-<host>-<time>.tar.gz in this folder')
    .option('--yes', 'write it without asking')
    .action((flags: BundleFlags) => make(flags, env, outputFor(flags.json ?? false), person));
}

async function make(flags: BundleFlags, env: Environment, output: Output, person: BundlePerson): Promise<void> {
  if (!flags.yes && !person.isThere)
    throw new CommandFailure(
      EXIT.usage,
      'There is no terminal to ask at whether what was gathered may be written, so nothing was gathered. In a script, say so beforehand: --yes',
    );
  const out = flags.out === undefined ? undefined : resolve(flags.out);
  if (out !== undefined) await mustBeNew(out);
  const configured = await configuredBy(flags, env);
  const relay = await linked(flags, configured);
  const { CREDENTIALS_DIRECTORY: credentialsFolder } = env;
  const bundle = await gatherBundle({ configured, relay, version: packageVersion, now: systemClock.now }, credentialsFolder);
  const content = await bundle.pack();
  const path = out ?? resolve(bundle.name);
  person.show(tableFor(bundle));
  if (!flags.yes && !(await person.confirm(`Write it to ${path}?`))) throw new CommandFailure(EXIT.failed, 'Nothing was written.');
  const audited = await enter(relay, bundle, content.length);
  await saveArchive(path, content);
  const files = bundle.files.map(({ file, bytes }) => ({ file, bytes }));
  printValue(
    output,
    { path, bytes: content.length, files, leftOut: bundle.leftOut, audited } satisfies BundleResult,
    sentenceFor(path, content.length, audited),
  );
}

// Said before anything is gathered; written it is with the same care.
async function mustBeNew(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) throw new CommandFailure(EXIT.usage, `There is a file ${path} already. Give another with --out.`);
}

async function configuredBy(flags: BundleFlags, env: Environment): Promise<Configured> {
  const source = { file: flags.config, env };
  const file = configurationFile(source);
  try {
    return { usable: true, file, configuration: await loadConfiguration(source) };
  } catch (error) {
    return { usable: false, file, reason: error instanceof RelayError ? error.message : messageOf(error) };
  }
}

async function linked({ socket }: BundleFlags, configured: Configured): Promise<RelayLink> {
  if (socket !== undefined) return await linkToRelay(socket, RELAY_MS);
  if (!configured.usable) return { runs: false, reason: 'the configuration cannot be used, so nothing says where the relay listens; --socket does' };
  return await linkToRelay(configured.configuration.control.socket, RELAY_MS);
}

// Before it is written: a bundle that exists has its entry, if there is a relay to make one.
async function enter(relay: RelayLink, { name, files }: Bundle, bytes: number): Promise<boolean> {
  if (!relay.runs) return false;
  return await relay.post('/support/bundles', { name, files: files.length, bytes }).then(
    () => true,
    () => false,
  );
}

function tableFor({ files, leftOut, unread }: Bundle): string {
  const paragraphs = [
    filesTable(files),
    ...(leftOut.length === 0 ? [] : [leftOutTable(leftOut)]),
    ...(unread.length === 0 ? [] : [`Not readable, so not looked for in the texts: ${unread.join(', ')}. Run this as root or as the relay's own user.`]),
    'No records, keys, passwords or tokens; names and addresses of this site are in it.',
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function sentenceFor(path: string, bytes: number, audited: boolean): string {
  return `${path} (${bytes} bytes)${audited ? '' : '. It is not in the audit log, because no running relay could enter it.'}`;
}
