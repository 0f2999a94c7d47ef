/** What a restore will do, judged before anything is touched: everything that speaks against it is said here. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { changesBetween } from '../audit/configuration-change.ts';
import type { Environment } from '../configuration/environment.ts';
import { configurationFrom, loadConfiguration } from '../configuration/load.ts';
import { putOptions } from '../configuration/put-options.ts';
import { asWritten } from '../configuration/reference.ts';
import type { Configuration } from '../configuration/schema.ts';
import { ask } from '../control/client.ts';
import { RelayError } from '../errors.ts';
import { mustBeUnused } from '../management-group/copy.ts';
import { type DataFolder, lookAtDataFolder, mustBeFree, mustHaveRoom } from './data-folder.ts';
import type { InspectedBackup } from './inspect-backup.ts';
import type { Machine } from './machine.ts';
import type { MachineSecrets } from './machine-secrets.ts';
import { CONFIGURATION } from './manifest.ts';
import { type FilePlace, type FilePlan, planFiles, planMissingFiles } from './plan-files.ts';
import { DATABASE } from './state-files.ts';

const MOST_DIFFERENCES = 20;
export const RELAY_UNIT = 'relay.service';

export interface RestoreWishes {
  readonly configurationFile: string;
  readonly env: Environment;
  /** Another data folder than the backup's configuration names. */
  readonly data?: string | undefined;
  /** What is in the data folder may be moved aside. */
  readonly replace: boolean;
  /** The backup's configuration takes the place of this machine's. */
  readonly withConfiguration: boolean;
}

export interface RestorePlan {
  /** The configuration there will be. */
  readonly configuration: Configuration;
  /** Its text, when it comes from the backup; undefined when this machine's own stays. */
  readonly configurationText: string | undefined;
  readonly files: FilePlan;
  readonly folder: DataFolder;
  /** Where this machine's own configuration, which stays, is not the backup's. */
  readonly differences: readonly string[];
}

/** Throws whatever speaks against it: `relay.restore.running`, `relay.restore.data-folder-not-empty`, `relay.restore.no-room`, `relay.configuration.invalid` … */
export async function planRestore(backup: InspectedBackup, wishes: RestoreWishes, machine: Machine, secrets: MachineSecrets): Promise<RestorePlan> {
  const { configurationFile } = wishes;
  const place: FilePlace = {
    folder: dirname(configurationFile),
    openedCredentials: machine.isAppliance ? machine.places.openedCredentials : undefined,
    // What this machine cannot open, for its TPM is gone, is as good as not there.
    read: (path) => secrets.named(path).catch(() => undefined),
  };
  const keeps = !wishes.withConfiguration && (await isThere(configurationFile));
  const planned = keeps ? await keepConfiguration(backup, wishes, place) : await takeConfiguration(backup, wishes, place);
  const { configuration } = planned;
  await mustBeStopped(configuration, machine);
  await mustHaveNoTrial(machine);
  const folder = await lookAtDataFolder(configuration.data);
  mustBeFree(folder, wishes.replace);
  mustBeUnused(join(configuration.data, DATABASE));
  await mustHaveRoom(configuration.data, backup.stateBytes);
  return { ...planned, folder };
}

type Planned = Omit<RestorePlan, 'folder'>;

async function keepConfiguration(backup: InspectedBackup, { configurationFile, env, data }: RestoreWishes, place: FilePlace): Promise<Planned> {
  if (data !== undefined)
    throw new RelayError(
      'relay.restore.bad-data-folder',
      `The configuration of this machine stays, and it says where the data folder is. Leave --data out, or take the backup's configuration: --with-configuration`,
    );
  const configuration = await loadConfiguration({ file: configurationFile, env });
  const files = await planMissingFiles(backup, configuration, place);
  return { configuration, configurationText: undefined, files, differences: differencesOf(backup, configuration, configurationFile) };
}

async function takeConfiguration(backup: InspectedBackup, { configurationFile, env, data }: RestoreWishes, place: FilePlace): Promise<Planned> {
  const text = putOptions(textIn(backup), data === undefined ? [] : [{ at: ['data'], value: data }]);
  const files = await planFiles(backup, configurationFrom(text, configurationFile, env), place);
  const configurationText = putOptions(text, files.changes);
  // As it will be read: a file whose place was changed must not have broken it.
  return { configuration: configurationFrom(configurationText, configurationFile, env), configurationText, files, differences: [] };
}

function textIn({ contents }: InspectedBackup): string {
  return (contents.get(CONFIGURATION) as Buffer).toString();
}

function differencesOf(backup: InspectedBackup, configuration: Configuration, file: string): string[] {
  try {
    const all = changesBetween(asWritten(configurationFrom(textIn(backup), file, {})), asWritten(configuration));
    return all.length <= MOST_DIFFERENCES ? all : [...all.slice(0, MOST_DIFFERENCES), `and ${all.length - MOST_DIFFERENCES} more`];
  } catch (error) {
    return [`the backup's configuration cannot be used by this release: ${error instanceof RelayError ? error.message : String(error)}`];
  }
}

async function mustBeStopped({ control }: Configuration, { isAppliance, services }: Machine): Promise<void> {
  const answers = await ask(control.socket, 'GET', '/status').then(
    () => true,
    (error: unknown) => error instanceof RelayError && error.code !== 'relay.control.not-running',
  );
  if (answers || (isAppliance && (await services.isActive(RELAY_UNIT))))
    throw new RelayError(
      'relay.restore.running',
      `A relay runs on this machine, and a state cannot be changed under it. Nothing was changed. Stop it first: ${isAppliance ? 'systemctl stop relay' : 'systemctl stop relay, or however you started it'}`,
    );
}

// The judge of a trial starts and stops the relay, and may put back what it kept of the state.
async function mustHaveNoTrial({ isAppliance, places }: Machine): Promise<void> {
  if (isAppliance && (await isThere(places.trial)))
    throw new RelayError(
      'relay.restore.running',
      'An upgrade is on trial on this machine. Nothing was changed. Wait until it is decided: relay upgrade --help says how to see that.',
    );
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
