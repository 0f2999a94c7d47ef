import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from '../errors.ts';
import { newSealingKey, type OwnSecrets, ownSecretsWith, plainSecrets, readSealingKey, SEALING_KEY } from '../own-secrets.ts';
import type { Machine } from './machine.ts';
import type { MachineSecrets } from './machine-secrets.ts';

export interface SealingForRestore {
  readonly secrets: OwnSecrets;
  /** A key to put into the credential store before anything that it seals takes its place. */
  readonly newKey: string | undefined;
  readonly remarks: readonly string[];
}

/**
 * Under what the restored keys are sealed: this machine's own sealing key. On an appliance that has none, or whose TPM cannot open it any more, a
 * new one is made: all that is sealed is written anew.
 */
export async function sealingForRestore({ isAppliance }: Pick<Machine, 'isAppliance'>, machineSecrets: MachineSecrets): Promise<SealingForRestore> {
  let problem = '';
  const found = await machineSecrets.credential(SEALING_KEY).catch((error: unknown) => {
    if (!(error instanceof RelayError) || !isAppliance) throw error;
    problem = error.message;
    return undefined;
  });
  if (found) return { secrets: ownSecretsWith(readSealingKey(found.toString())), newKey: undefined, remarks: [] };
  if (!isAppliance) return { secrets: plainSecrets, newKey: undefined, remarks: ['This machine has no sealing key: the keys are plain files, mode 0600.'] };
  const newKey = newSealingKey();
  const remark =
    problem === '' ? 'This machine had no sealing key; it has one now.' : `This machine could not open its sealing key (${problem}); it has a new one.`;
  return { secrets: ownSecretsWith(readSealingKey(newKey)), newKey, remarks: [remark] };
}

/** Puts a credential into the store. One that is there already, and may still be wanted, is moved out of the store's folder, to `aside`: true. */
export async function putCredential(machine: Machine, name: string, content: string | Buffer, aside: string): Promise<boolean> {
  const { store, places } = machine;
  if (!store) throw new RelayError('relay.internal', `There is no credential store for ${name}.`);
  const isThere = (await store.list()).includes(name);
  if (isThere) {
    await mkdir(aside, { recursive: true, mode: 0o700 });
    await rename(join(places.credentials, name), join(aside, name));
  }
  await store.put(name, content);
  return isThere;
}
