import { mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import type { KeyProvider, KeyProviderKind } from '../../../src/local-workspace/keys/key-provider.ts';
import { createKeyProviders } from '../../../src/local-workspace/keys/key-providers.ts';
import type { KeySettings } from '../../../src/local-workspace/keys/keys-settings.ts';
import { createServiceKeys, type ServiceKeys } from '../../../src/local-workspace/keys/service-keys.ts';
import { makeSoftToken } from './soft-token.ts';

/** A marker in every secret: no text may show it. */
export const MARKER = 'd0d0';

/** A provider with what its owner can do. */
export interface ProviderRig {
  readonly provider: KeyProvider;
  /** Takes all keys away. */
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
  /** Makes a newer key; the old one stays. */
  rotate(): Promise<void>;
  /** Takes the older key away for good. */
  removeOld(): Promise<void>;
  /** What is said when all keys are away, and when the old one is. */
  readonly away: RegExp;
  readonly oldAway: RegExp;
}

/** How to make one in an empty folder. */
export const PROVIDER_RIGS: Readonly<Record<KeyProviderKind, (folder: string) => Promise<ProviderRig>>> = {
  service: serviceRig,
  file: fileRig,
  command: commandRig,
  pkcs11: tokenRig,
};

async function serviceRig(folder: string): Promise<ProviderRig> {
  const path = join(folder, 'service-keys.json');
  const serviceKeys = createServiceKeys({ path, clock: systemClock });
  await serviceKeys.currentOrMade();
  return {
    provider: providerOf({ kind: 'service' }, serviceKeys),
    takeAway: () => rename(path, `${path}.away`),
    giveBack: () => rename(`${path}.away`, path),
    async rotate() {
      await serviceKeys.rotate();
    },
    async removeOld() {
      const file = JSON.parse(await readFile(path, 'utf8')) as { versions: unknown[] };
      await writeFile(path, JSON.stringify({ ...file, versions: file.versions.slice(0, 1) }));
    },
    away: /^there is no file .*service-keys\.json\. Restore it from a backup$/,
    oldAway: /^version [0-9a-f]{8} of the service key is not in /,
  };
}

async function fileRig(folder: string): Promise<ProviderRig> {
  const path = join(folder, 'bank.keys');
  const line = (id: string): string => `${id} ${MARKER.repeat(15)}${id.padStart(4, '0')}\n`;
  await writeFile(path, line('1'), { mode: 0o600 });
  return {
    provider: providerOf({ kind: 'file', path }),
    takeAway: () => rename(path, `${path}.away`),
    giveBack: () => rename(`${path}.away`, path),
    rotate: () => writeFile(path, line('2') + line('1')),
    removeOld: () => writeFile(path, line('2')),
    away: /^there is no file .*bank\.keys$/,
    oldAway: /^key 1 is not in the key file /,
  };
}

/** The example of the protocol's description. */
async function commandRig(folder: string): Promise<ProviderRig> {
  const keys = join(folder, 'keys');
  const key = (id: string): Promise<void> => writeFile(join(keys, `${id}.key`), `${MARKER.repeat(15)}${id.padStart(4, '0')}\n`);
  const readme = await readFile(new URL('../../../src/local-workspace/keys/README.md', import.meta.url), 'utf8');
  const script = join(folder, 'relay-key.mjs');
  await writeFile(script, /```js\n(.*?)```/s.exec(readme)?.[1] ?? '');
  await mkdir(keys);
  await key('1');
  return {
    provider: providerOf({ kind: 'command', command: [process.execPath, script, keys] }),
    takeAway: () => rename(keys, `${keys}.away`),
    giveBack: () => rename(`${keys}.away`, keys),
    rotate: () => key('2'),
    removeOld: () => unlink(join(keys, '1.key')),
    away: /^the program .* ended with 1 \((?:wrap|unwrap|key-id)\): ENOENT: no such file/,
    oldAway: /^the program .* ended with 1 \(unwrap\): ENOENT: no such file or directory, open '.*1\.key'$/,
  };
}

async function tokenRig(folder: string): Promise<ProviderRig> {
  const token = await makeSoftToken(folder, `${MARKER}-pin`);
  await token.makeKey('01');
  return {
    provider: providerOf(token.settings),
    takeAway: token.takeAway,
    giveBack: token.giveBack,
    rotate: () => token.makeKey('02'),
    removeOld: () => token.deleteKey('01'),
    away: /^the token "relay" did not do it: /,
    oldAway: /^the token "relay" did not do it: Private\/secret key not found$/,
  };
}

function providerOf(settings: KeySettings, serviceKeys?: ServiceKeys): KeyProvider {
  const keys = serviceKeys ?? createServiceKeys({ path: '/nowhere/service-keys.json', clock: systemClock });
  return createKeyProviders({ serviceKeys: keys, clock: systemClock, warn: () => {} })(settings);
}
