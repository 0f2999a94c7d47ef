import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { factoryReset, type ResetParts, siteFiles } from '../backup/factory-reset.ts';
import { readSegmentFacts } from '../cache/segment-facts.ts';
import { configurationSchema } from '../configuration/schema.ts';
import { readFileIfAny } from '../files.ts';
import { appliancePlaces, type Places } from '../host/places.ts';
import { type Programs, systemPrograms } from '../host/run-program.ts';
import { createServices } from '../host/services.ts';
import { roughSize } from '../rough.ts';
import { firewallOf } from '../setup/firewall.ts';
import { machineFiles } from '../setup/machine-files.ts';
import { exporterText } from '../setup/machine-texts.ts';
import { type Ask, terminal } from './ask.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';

const LOOK_LIMIT_MS = 10_000;

interface ResetFlags {
  readonly yesErase?: string;
  readonly powerOff?: boolean;
  readonly json?: boolean;
}

/** What the command works on, and whom it asks. */
export interface ResetCommandParts {
  readonly outputFor: (json: boolean) => Output;
  readonly ask: Ask;
  readonly root: string;
  readonly programs: Programs;
  readonly host: string;
  readonly say: (text: string) => void;
}

const REAL: ResetCommandParts = {
  outputFor: createOutput,
  ask: terminal,
  root: '/',
  programs: systemPrograms,
  host: hostname(),
  say: (text) => void process.stderr.write(`${text}\n`),
};

/** `relay factory-reset`: nothing of this site is left on the appliance. */
export function factoryResetCommand(given: Partial<ResetCommandParts> = {}): Command {
  const parts = { ...REAL, ...given };
  return new Command('factory-reset')
    .description(
      'erase all that this appliance knows: keys, agents, what waits in the cache, configuration, addresses, SSH keys; then it asks its questions again',
    )
    .option('--yes-erase <name>', "do not ask; the machine's name says that it is this one")
    .option('--power-off', 'power off at the end, instead of starting again')
    .option('--json', 'as JSON')
    .action((flags: ResetFlags) => run(flags, parts));
}

async function run(flags: ResetFlags, parts: ResetCommandParts): Promise<void> {
  const { root, programs, host, say } = parts;
  const places = appliancePlaces(root);
  await mustBeAppliance(places);
  say(await whatGoes(places, host));
  await mustBeMeant(flags.yesErase, parts);
  const failures = await factoryReset({ places, site: await siteOf(root), services: createServices(programs), programs }, (what) => say(`Done: ${what}.`));
  if (failures.length > 0)
    throw new CommandFailure(
      EXIT.failed,
      `The keys are destroyed, but not everything is gone:\n${failures.map(({ what, reason }) => `  not done: ${what}: ${reason}`).join('\n')}\nMend it and run this again; the machine was not started again.`,
    );
  const [verb, next] = flags.powerOff ? ['poweroff', 'It powers off now.'] : ['reboot', 'It starts again now, and asks its questions.'];
  printValue(parts.outputFor(flags.json ?? false), { erased: host, next: verb }, `Nothing of this site is left on ${host}. ${next}`);
  const { code, err } = await programs.run('systemctl', [verb]);
  if (code !== 0) throw new CommandFailure(EXIT.failed, `systemctl ${verb} failed: ${err.trim()}. Do it by hand.`);
}

async function siteOf(root: string): Promise<ResetParts['site']> {
  const files = machineFiles(root);
  // As the image has it: nothing comes in but SSH.
  const { intake, senders, tunnel, metrics } = configurationSchema.parse({});
  const shut = { intake: { ...intake, port: 0 }, senders, tunnel: { ...tunnel, enabled: false }, metrics: { ...metrics, port: 0 } };
  const { resolver, timeSources, cloudSettings, credentialsDropIn, issue } = files;
  const exporter = exporterText((await readFileIfAny(files.exporter))?.toString() ?? '', '127.0.0.1');
  return siteFiles(root, {
    removed: [resolver, timeSources, cloudSettings, credentialsDropIn, issue],
    written: [
      { path: files.firewall, text: firewallOf(shut, { management: {} }), mode: 0o755 },
      ...(exporter === undefined ? [] : [{ path: files.exporter, text: exporter, mode: 0o644 }]),
    ],
  });
}

async function mustBeAppliance({ marker }: Places): Promise<void> {
  const isThere = await stat(marker).then(
    () => true,
    () => false,
  );
  if (!isThere)
    throw new CommandFailure(
      EXIT.usage,
      `This machine is no appliance (there is no ${marker}), and here nobody knows what else is on it. Nothing was touched. Remove the data folder and the configuration by hand.`,
    );
}

async function whatGoes({ state }: Places, host: string): Promise<string> {
  const facts = await readSegmentFacts(join(state, 'cache', 'segments'), AbortSignal.timeout(LOOK_LIMIT_MS)).catch(() => []);
  const [batches, bytes] = facts.reduce(([count, size], one) => [count + one.batches, size + one.bytes], [0, 0]);
  return [
    `This erases ${host} for good:`,
    `  - what waits in the cache and was never delivered: ${batches === 0 ? 'nothing at this moment' : `${batches} batches, ${roughSize(bytes)}`}`,
    '  - the authority and its keys: every agent of this relay has to enrol anew, unless a backup is restored',
    '  - agents, enrolment keys, the audit log, the configuration and every secret in it',
    "  - the machine's name, addresses, SSH host keys, and the keys that let administrators in",
    'A backup is not touched: relay backup. A disk or property with answers that is still attached will be read again at the next start.',
  ].join('\n');
}

async function mustBeMeant(given: string | undefined, { ask, host }: ResetCommandParts): Promise<void> {
  if (given === undefined && !ask.isThere)
    throw new CommandFailure(EXIT.usage, `There is no terminal to ask at. Nothing was touched. In a script, name the machine: --yes-erase <its host name>`);
  const name = given ?? (await ask.line(`Type the name of this machine (${host}) to erase it`));
  if (name !== host) throw new CommandFailure(EXIT.usage, `${JSON.stringify(name)} is not the name of this machine, which is ${host}. Nothing was touched.`);
}
