import { execFile } from 'node:child_process';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TokenKeySettings } from '../../../src/local-workspace/keys/keys-settings.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const PATH = '/usr/local/bin:/usr/bin:/bin';

/** A token of SoftHSM's (Debian packages softhsm2, opensc) in a folder of its own. */
export interface SoftToken {
  readonly settings: TokenKeySettings;
  readonly pin: string;
  /** Makes an RSA key pair; `id` in hexadecimal. */
  makeKey(id: string): Promise<void>;
  deleteKey(id: string): Promise<void>;
  /** Pulls the token out. */
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
}

const run = promisify(execFile);

export async function makeSoftToken(folder: string, pin: string): Promise<SoftToken> {
  const tokens = join(folder, 'tokens');
  const away = join(folder, 'away');
  const configuration = join(folder, 'softhsm2.conf');
  const pinFile = join(folder, 'pin');
  await mkdir(tokens);
  await writeFile(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  await writeFile(pinFile, `${pin}\n`, { mode: 0o600 });
  const environment = { SOFTHSM2_CONF: configuration };
  const tool = (...args: readonly string[]): Promise<{ stdout: string }> =>
    run('pkcs11-tool', [`--module=${MODULE}`, '--token-label=relay', ...args], { env: { ...environment, PATH } });
  const login = ['--login', `--pin=${pin}`];
  await run('softhsm2-util', ['--init-token', '--free', '--label=relay', `--pin=${pin}`, '--so-pin=so-pin-of-tests'], { env: { ...environment, PATH } });
  return {
    settings: { kind: 'pkcs11', module: MODULE, tokenLabel: 'relay', keyLabel: 'bank', pinFile, oaepHash: 'sha1', environment },
    pin,
    async makeKey(id) {
      await tool(...login, '--keypairgen', '--key-type=rsa:2048', '--label=bank', `--id=${id}`, '--usage-decrypt');
    },
    async deleteKey(id) {
      for (const type of ['privkey', 'pubkey']) await tool(...login, '--delete-object', `--type=${type}`, `--id=${id}`);
    },
    takeAway: () => rename(tokens, away),
    giveBack: () => rename(away, tokens),
  };
}
