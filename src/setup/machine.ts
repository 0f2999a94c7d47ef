import { chmod, chown, readFile } from 'node:fs/promises';
import { RelayError } from '../errors.ts';
import type { CredentialStore } from '../host/credentials.ts';
import type { Places } from '../host/places.ts';
import type { Programs } from '../host/run-program.ts';
import type { Services } from '../host/services.ts';
import type { MachineFiles } from './machine-files.ts';
import type { Owner } from './planned.ts';

/** The machine that setup works on. */
export interface Machine {
  readonly places: Places;
  readonly files: MachineFiles;
  readonly programs: Programs;
  readonly services: Services;
  readonly credentials: CredentialStore;
  /** Gives a file its owner and mode. */
  own(path: string, owner: Owner, mode: number): Promise<void>;
}

/** Gives files to users and groups by the names in these two files. Throws `relay.setup.no-user` for a name that is not there. */
export function createOwning({ users, groups }: Pick<MachineFiles, 'users' | 'groups'>): Machine['own'] {
  return async (path, { user, group }, mode) => {
    await chown(path, await idIn(users, user), await idIn(groups, group));
    await chmod(path, mode);
  };
}

// Lines of both files: name:x:id:…
async function idIn(file: string, name: string): Promise<number> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
  const id = lines.find(([found]) => found === name)?.[2];
  if (id !== undefined && /^\d+$/.test(id)) return Number(id);
  throw new RelayError('relay.setup.no-user', `${file} has no ${name}. This is no appliance: relay setup works on one only.`);
}
