import { stat } from 'node:fs/promises';
import { type CredentialStore, openCredentialStore } from '../host/credentials.ts';
import type { Places } from '../host/places.ts';
import { type Programs, systemPrograms } from '../host/run-program.ts';
import { createServices, type Services } from '../host/services.ts';

/** The machine that a command works on. */
export interface Machine {
  readonly places: Places;
  readonly isAppliance: boolean;
  readonly programs: Programs;
  readonly services: Services;
  /** On an appliance. */
  readonly store: CredentialStore | undefined;
}

/** Looks whether this machine is an appliance. */
export async function openMachine(places: Places, programs: Programs = systemPrograms): Promise<Machine> {
  const isAppliance = await stat(places.marker).then(
    () => true,
    () => false,
  );
  const store = isAppliance ? await openCredentialStore(places.credentials, programs) : undefined;
  return { places, isAppliance, programs, services: createServices(programs), store };
}
