import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { type InspectedBackup, inspectBackup } from '../backup/inspect-backup.ts';
import { type Machine, openMachine } from '../backup/machine.ts';
import { createMachineSecrets } from '../backup/machine-secrets.ts';
import { planRestore, type RestorePlan } from '../backup/plan-restore.ts';
import { type Restored, restore } from '../backup/restore.ts';
import { systemClock } from '../clock.ts';
import type { Environment } from '../configuration/environment.ts';
import { configurationFile } from '../configuration/load.ts';
import { userName } from '../control/operator.ts';
import { RelayError } from '../errors.ts';
import { writeFileAtomic } from '../files.ts';
import { appliancePlaces } from '../host/places.ts';
import { systemPrograms } from '../host/run-program.ts';
import { credentialsDropIn } from '../setup/credentials-drop-in.ts';
import { machineFiles } from '../setup/machine-files.ts';
import { terminal } from './ask.ts';
import type { BackupParts } from './backup.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printValue } from './output.ts';
import { knownPassphrase } from './passphrase.ts';

interface RestoreFlags {
  readonly config?: string;
  readonly data?: string;
  readonly passphraseFile?: string;
  readonly replace?: boolean;
  readonly withConfiguration?: boolean;
  readonly check?: boolean;
  readonly json?: boolean;
}

/** `relay restore`: makes this machine the relay that the backup was made of. */
export function restoreCommand(env: Environment, parts: Partial<BackupParts> = {}): Command {
  const found: BackupParts = { outputFor: createOutput, ask: terminal, root: '/', programs: systemPrograms, ...parts };
  return new Command('restore')
    .description('make this machine the relay that a backup was made of; the relay must be stopped, and everything is checked before anything is changed')
    .argument('<file>', 'what relay backup wrote')
    .option('--passphrase-file <file>', 'read the passphrase from this file, or from standard input (-), instead of asking for it')
    .option('--check', 'say whether the backup is whole, what is in it, and whether it could be restored here; change nothing')
    .option('--replace', 'move the state that is here aside, to <data>.before-<time>')
    .option('--with-configuration', "take the backup's configuration and the files it names; without this a configuration that is here stays")
    .option('--config <file>', 'the configuration file of this machine')
    .option('--data <folder>', "another data folder than the backup's configuration names")
    .option('--json', 'as JSON')
    .action((file: string, flags: RestoreFlags) => run(resolve(file), flags, env, found));
}

async function run(file: string, flags: RestoreFlags, env: Environment, { outputFor, ask, root, programs }: BackupParts): Promise<void> {
  const output = outputFor(flags.json ?? false);
  const machine = await openMachine(appliancePlaces(root), programs);
  const { CREDENTIALS_DIRECTORY: credentialsFolder } = env;
  const secrets = createMachineSecrets({ credentialsFolder, openedCredentials: machine.places.openedCredentials, store: machine.store });
  const warn = (message: string): void => void process.stderr.write(`${message}\n`);
  const passphrase = await knownPassphrase({ file: flags.passphraseFile, ask, warn });
  const backup = await inspectBackup(file, passphrase);
  const wishes = {
    configurationFile: configurationFile({ file: flags.config, env }),
    env,
    data: flags.data === undefined ? undefined : resolve(flags.data),
    replace: flags.replace ?? false,
    withConfiguration: flags.withConfiguration ?? false,
  };
  if (flags.check) return await check(backup, () => planRestore(backup, wishes, machine, secrets), output);
  const plan = await planRestore(backup, wishes, machine, secrets);
  const restored = await restore(backup, plan, {
    machine,
    secrets,
    configurationFile: wishes.configurationFile,
    announceCredentials: () => announceCredentials(machine, machineFiles(root).credentialsDropIn),
    operator: userName(),
    now: systemClock.now,
  });
  printValue(
    output,
    { ...factsOf(backup, plan), ...restored },
    [...describe(backup), ...describePlan(plan), ...describeEnd(backup, restored, machine.isAppliance)].join('\n'),
  );
}

/** That the file is whole is the answer, on any machine; what speaks against a restore here at this moment is told beside it. */
async function check(backup: InspectedBackup, plan: () => Promise<RestorePlan>, output: Output): Promise<void> {
  try {
    const found = await plan();
    printValue(output, factsOf(backup, found), [...describe(backup), ...describePlan(found), 'It could be restored here. Nothing was changed.'].join('\n'));
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    const { code, message } = error;
    printValue(
      output,
      { ...factsOf(backup), problem: { code, message } },
      [...describe(backup), `As this machine is now, it would not be restored here: ${message}`].join('\n'),
    );
  }
}

async function announceCredentials({ store, places, programs }: Machine, dropIn: string): Promise<void> {
  await mkdir(dirname(dropIn), { recursive: true });
  await writeFileAtomic(dropIn, credentialsDropIn((await store?.list()) ?? [], places.credentials), 0o644);
  await programs.run('systemctl', ['daemon-reload']);
}

function factsOf({ manifest, sums }: InspectedBackup, plan?: RestorePlan): object {
  const { host, madeAt, release, rootFingerprint, agents, parts } = manifest;
  const here = plan ? { data: plan.configuration.data, differences: plan.differences } : {};
  return { host, madeAt, release, rootFingerprint, agents, parts, files: sums.length, ...here };
}

function describe({ manifest, sums }: InspectedBackup): string[] {
  const { host, madeAt, release, rootFingerprint, agents, leftOut } = manifest;
  return [
    `Backup of ${host}, made ${moment(Date.parse(madeAt))} UTC by release ${release}: ${agents} agents, root ${rootFingerprint}. All ${sums.length} files in it are as they were written.`,
    ...leftOut.map(({ what, reason }) => `It never had ${what}: ${reason}.`),
  ];
}

function describePlan({ configurationText, differences }: RestorePlan): string[] {
  if (configurationText !== undefined) return [];
  if (differences.length === 0) return ['The configuration of this machine stays; it says the same as the backup’s.'];
  return [
    'The configuration of this machine stays. Where it is not the backup’s (to take that one: --with-configuration):',
    ...differences.map((one) => `  ${one}`),
  ];
}

function describeEnd({ manifest: { madeAt, parts, domain } }: InspectedBackup, { data, aside, remarks }: Restored, isAppliance: boolean): string[] {
  return [
    `Restored to ${data}.`,
    ...remarks,
    ...aside.map((path) => `What was here is now ${path}. Remove it when all is well; it may hold keys.`),
    ...(parts.includes('cache') ? ['The cache came along: what was delivered since the backup is delivered again, as duplicates.'] : []),
    `Not here: batches taken after ${moment(Date.parse(madeAt))} UTC${parts.includes('cache') ? '' : ', and those that waited then'}. They are on the old machine's disk; machines that enrolled since then enrol again.`,
    'Never run the old machine again beside this one: both would be the same relay.',
    `Next: ${isAppliance ? 'systemctl start relay' : 'start the relay'}, then relay status. Agents must reach this machine by the old names (${domain}) or address: change DNS, or give it the old address.`,
  ];
}
