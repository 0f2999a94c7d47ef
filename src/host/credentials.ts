/**
 * The operating system's credential store: a folder of files that systemd-creds encrypted, each under its own name, and opens for a unit at its
 * start. With a TPM 2 they are bound to it and to a key of this machine; without one to that key alone, which lies on the same disk.
 */
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, writeFileAtomic } from '../files.ts';
import type { Programs } from './run-program.ts';

const NAME = /^[a-z0-9][a-z0-9.-]{0,99}$/;
const MODE = 0o600;
const FOLDER_MODE = 0o700;

/** By what credentials are sealed on this machine: `host+tpm2`, or `host` where there is no TPM 2. */
export type Seal = 'host+tpm2' | 'host';

export interface CredentialStore {
  /** How new ones are sealed. */
  readonly seal: Seal;
  /** Keeps a secret under a name of small letters, digits, dots and hyphens. Throws `relay.host.credential-failed`. */
  put(name: string, secret: string | Uint8Array): Promise<void>;
  /** Opens one; undefined when there is none. Throws `relay.host.credential-failed` when this machine cannot open it. */
  get(name: string): Promise<Buffer | undefined>;
  list(): Promise<string[]>;
  remove(name: string): Promise<void>;
}

/** Opens the store in `folder`, which is made if there is none. */
export async function openCredentialStore(folder: string, programs: Programs): Promise<CredentialStore> {
  await makePrivateFolder(folder);
  await chmod(folder, FOLDER_MODE);
  const seal: Seal = (await programs.run('systemd-creds', ['has-tpm2', '--quiet'])).code === 0 ? 'host+tpm2' : 'host';
  const pathOf = (name: string): string => {
    if (NAME.test(name)) return join(folder, name);
    throw new RelayError('relay.host.credential-failed', `Found the credential's name ${JSON.stringify(name)}; small letters, digits, dots and hyphens.`);
  };
  const list = async (): Promise<string[]> => (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  return {
    seal,
    async put(name, secret) {
      const path = pathOf(name);
      const ran = await programs.run('systemd-creds', ['encrypt', `--with-key=${seal}`, `--name=${name}`, '-', '-'], { input: secret });
      if (ran.code !== 0) throw failed(name, 'encrypted', ran.err);
      await writeFileAtomic(path, ran.out, MODE);
    },
    async get(name) {
      const path = pathOf(name);
      if (!(await list()).includes(name)) return undefined;
      // Base64, so that any bytes come through.
      const ran = await programs.run('systemd-creds', ['decrypt', `--name=${name}`, '--transcode=base64', path, '-']);
      if (ran.code !== 0) throw failed(name, 'opened', ran.err);
      return Buffer.from(ran.out, 'base64');
    },
    list,
    remove: (name) => rm(pathOf(name), { force: true }),
  };
}

function failed(name: string, what: string, said: string): RelayError {
  return new RelayError(
    'relay.host.credential-failed',
    `The credential ${name} could not be ${what} by systemd-creds: ${said.trim().split('\n').at(-1) || 'it did not say why'}. If the machine's TPM is missing, give it back; or restore a backup.`,
  );
}
