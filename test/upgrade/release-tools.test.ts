import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packBundle } from '../../appliance/release/pack-bundle.ts';
import { systemPrograms } from '../../src/host/run-program.ts';
import { verifyBundle } from '../../src/upgrade/bundle-file.ts';
import { readReleaseKeys } from '../../src/upgrade/signatures.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { MAKER, writeSmallRelease } from './small-release.ts';

const TOOLS = fileURLToPath(new URL('../../appliance/release', import.meta.url));

function tool(name: string, ...args: readonly string[]): ReturnType<typeof systemPrograms.run> {
  return systemPrograms.run(process.execPath, [join(TOOLS, name), ...args]);
}

test('whoever makes releases makes a key pair, signs a release with it, and a machine with the public key takes it', async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at('passphrase'), 'correct horse\n', { mode: 0o600 });
  const made = await tool('make-key.ts', '--out', at('keys'), '--passphrase-file', at('passphrase'));
  assert.equal(made.code, 0, made.err);
  const privatePath = join(at('keys'), 'release-key.pem');
  assert.equal((await stat(privatePath)).mode & 0o777, 0o600);
  assert.match(await readFile(privatePath, 'utf8'), /ENCRYPTED PRIVATE KEY/);
  assert.match((await tool('make-key.ts', '--out', at('keys'))).err, /There is a key at .* already/);

  await writeSmallRelease(at('release'), { version: '0.2.0' });
  const without = await tool('make-bundle.ts', '--key', privatePath, '--staged', at('release'), '--out', at('x.bundle'));
  assert.deepEqual([without.code, /encrypted: --passphrase-file/.test(without.err)], [1, true], without.err);
  const bundled = await tool('make-bundle.ts', '--key', privatePath, '--passphrase-file', at('passphrase'), '--staged', at('release'), '--out', at('x.bundle'));
  assert.equal(bundled.code, 0, bundled.err);
  assert.match(bundled.out, /x\.bundle: release 0\.2\.0, .* signed by [0-9a-f]{16}/);

  const [publicName = ''] = (await readdir(at('keys'))).filter((name) => name !== 'release-key.pem');
  const trusted = await readReleaseKeys([at('keys')], () => {});
  assert.deepEqual(
    trusted.map(({ path }) => path),
    [join(at('keys'), publicName)],
    'the private key beside it is no trusted key',
  );
  assert.equal((await verifyBundle(at('x.bundle'), trusted)).manifest.release.version, '0.2.0');
});

test('a bundle can be verified without Relay: its signature by openssl, its payload by sha256sum', async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  await writeSmallRelease(at('release'), { version: '0.2.0' });
  const { payload } = await packBundle(at('release'), [MAKER.privateKey], at('x.bundle'));
  await writeFile(at('key.pem'), createPublicKey(MAKER.privateKey).export({ type: 'spki', format: 'pem' }));
  assert.equal((await systemPrograms.run('tar', ['-xf', at('x.bundle'), '-C', folder.path])).code, 0);
  const { signatures } = JSON.parse(await readFile(at('manifest.sig'), 'utf8')) as { signatures: { signature: string }[] };
  await writeFile(at('signature'), Buffer.from(signatures[0]?.signature ?? '', 'base64'));
  const verified = await systemPrograms.run('openssl', [
    'pkeyutl',
    '-verify',
    '-pubin',
    '-inkey',
    at('key.pem'),
    '-rawin',
    '-in',
    at('manifest.json'),
    '-sigfile',
    at('signature'),
  ]);
  assert.match(verified.out, /Verified Successfully/, verified.err);
  assert.ok((await systemPrograms.run('sha256sum', [at('payload.tar.gz')])).out.startsWith(payload.sha256));
});

test('a release with anything but files and folders is not bundled, and nothing is left of the try', async () => {
  await using folder = await temporaryFolder();
  await writeSmallRelease(join(folder.path, 'release'), { version: '0.2.0' });
  await symlink('main.ts', join(folder.path, 'release', 'app', 'src', 'link.ts'));
  await assert.rejects(packBundle(join(folder.path, 'release'), [MAKER.privateKey], join(folder.path, 'x.bundle')), /link\.ts is neither a file nor a folder/);
  assert.deepEqual(await readdir(folder.path), ['release']);
});
