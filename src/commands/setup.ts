import { Command } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import { ask } from '../control/client.ts';
import { messageOf, RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny } from '../files.ts';
import { openCredentialStore } from '../host/credentials.ts';
import { createServices } from '../host/services.ts';
import { askAnswers } from '../setup/ask-answers.ts';
import { changesText } from '../setup/changes.ts';
import { answersOfCloud, answersOfFile, findAnswers } from '../setup/find-answers.ts';
import { readKeptAnswers, writtenAnswers } from '../setup/kept-answers.ts';
import { type RawAnswers, readAnswers } from '../setup/read-answers.ts';
import { secretsIn } from '../setup/secrets-of.ts';
import { prepare, type SetUpParts, setUp } from '../setup/set-up.ts';
import { strikeCopies } from '../setup/strike-copies.ts';
import { CommandFailure, EXIT } from './output.ts';
import { runBanner } from './setup-banner.ts';
import { type Context, contextOf, type SetupParts, say, toConsole } from './setup-context.ts';
import { runNetwork, runProblem } from './setup-services.ts';
import { packageVersion } from './version.ts';

interface SetupFlags {
  readonly answers?: string;
  readonly ask?: boolean;
  readonly check?: boolean;
  readonly firstBoot?: boolean;
}

/** `relay setup`, and beneath it `network`, `problem` and `banner`: the appliance from its answers to a relay that takes data. */
export function setupCommand(_env: Environment, parts: SetupParts = {}): Command {
  const context = contextOf(parts);
  const network = new Command('network').description('set up firewall and routing from relay.yaml and network.yaml').action(() => runNetwork(context));
  const problem = new Command('problem').description('say on console and in the journal why the relay did not start').action(() => runProblem(context));
  const banner = new Command('banner').description('show what somebody sees who signs in').action(() => runBanner(context));
  return new Command('setup')
    .description('set up this appliance from its answers: a file, the cloud, the virtual machine, or a dialogue; safe to run again')
    .option('--answers <file>', 'the answers (YAML)')
    .option('--ask', 'ask for them in a dialogue, whatever else there is')
    .option('--check', 'show what would change, and change nothing')
    .option('--first-boot', 'do nothing on an appliance that was set up')
    .addCommand(network)
    .addCommand(problem)
    .addCommand(banner)
    .action((flags: SetupFlags) => told(context, () => runSetup(flags, context)));
}

async function runSetup(flags: SetupFlags, context: Context): Promise<void> {
  await requireAppliance(context);
  const { places, programs, files, own, look, output } = context;
  const kept = readKeptAnswers((await readFileIfAny(places.answers))?.toString());
  if (flags.firstBoot && kept?.finished) return await strikeAgain(context);
  const raw = await rawAnswers(flags, context);
  if (raw === undefined) throw new CommandFailure(EXIT.failed, 'Setup was left. Nothing was changed; run it again with: relay setup');
  const parts: SetUpParts = {
    machine: { places, files, programs, own, services: createServices(programs), credentials: await openCredentialStore(places.credentials, programs) },
    version: packageVersion,
    relayAt: (socket) => ({
      get: (path) => ask(socket, 'GET', path),
      post: (path, body) => ask(socket, 'POST', path, body),
      delete: (path) => ask(socket, 'DELETE', path),
    }),
    elapsed: () => performance.now(),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    ...(look === undefined ? {} : { look }),
  };
  const prepared = await prepare(raw, parts);
  if (flags.check) return output.line(changesText(prepared.plan));
  const { text, changed } = await setUp(prepared, parts);
  await say(changed ? text : `Nothing was to be changed.\n${text}`, context);
}

async function requireAppliance({ places, isRoot }: Context): Promise<void> {
  if (!isRoot()) throw new CommandFailure(EXIT.usage, 'This works on the machine itself and needs root: sudo relay setup');
  if ((await readFileIfAny(places.marker)) === undefined)
    throw new CommandFailure(
      EXIT.usage,
      `This machine is no appliance (${places.marker} is not there): relay setup would change its network, its firewall and its services.`,
    );
}

// A disk with answers that is still attached has cloud-init copy the secrets anew at each boot.
async function strikeAgain({ files, output }: Context): Promise<void> {
  const raw = await answersOfCloud(files).catch(() => undefined);
  const answers = raw && safely(() => readAnswers(raw));
  const struck = answers === undefined ? [] : await strikeCopies(files.cloud, secretsIn(answers));
  output.line(
    struck.length === 0
      ? 'This appliance is set up.'
      : "This appliance is set up. Secrets in cloud-init's copies of the answers were struck out: take that disk away.",
  );
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function rawAnswers({ answers: file, ask: asks, firstBoot }: SetupFlags, context: Context): Promise<RawAnswers | undefined> {
  const { files, programs, places, isTerminal, dialogue, root } = context;
  const kept = readKeptAnswers((await readFileIfAny(places.answers))?.toString());
  if (file !== undefined) return await answersOfFile(file);
  const mountPoint = `${root === '/' ? '' : root}/run/relay-answers`;
  await makePrivateFolder(mountPoint);
  const found = asks ? undefined : await findAnswers({ files, programs, mountPoint });
  if (found !== undefined) return found;
  // Begun and not finished: the same again, the secrets are in the store.
  if (firstBoot && kept !== undefined) return { from: 'what was answered before', prefix: '', value: writtenAnswers(kept.answers) };
  if (isTerminal()) return await askAnswers(dialogue, kept?.answers);
  throw new CommandFailure(
    EXIT.usage,
    'There are no answers: not in a cloud’s user-data, not in the virtual machine’s properties, and no terminal to ask at. Run it at the console: relay setup; or give a file: relay setup --answers <file>',
  );
}

// What goes wrong at the first boot is read at the console: nobody can sign in yet.
async function told(context: Context, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const text = error instanceof RelayError && error.code === 'relay.setup.bad-answers' ? error.message : messageOf(error);
    await toConsole(`relay setup: ${text}`, context);
    throw error;
  }
}
