/** `npm run release:key`: a key pair for signing releases. */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/errors.ts';
import { makePrivateFolder, readFileIfAny, readSecretFile, writeFileAtomic } from '../../src/files.ts';
import { keyIdOf } from '../../src/upgrade/signatures.ts';

const USAGE = `usage: npm run release:key -- --out <folder> [--passphrase-file <file>]

Writes release-key.pem (private, mode 0600: keep it off the machines that run Relay) and release-<id>.pem (public: it goes into
/etc/relay/release-keys of those machines, and into appliance/release-keys of the checkout that images are built from).
With --passphrase-file the private key is encrypted with the passphrase on that file's first line (AES-256).`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' }, 'passphrase-file': { type: 'string' } } });
  if (values.out === undefined) throw new Error(USAGE);
  await makePrivateFolder(values.out);
  const privatePath = join(values.out, 'release-key.pem');
  if (await readFileIfAny(privatePath)) throw new Error(`There is a key at ${privatePath} already. Name another folder.`);
  const warn = (message: string): void => void process.stderr.write(`${message}\n`);
  const passphrase = values['passphrase-file'] === undefined ? undefined : (await readSecretFile(values['passphrase-file'], warn)).split('\n')[0];
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  const publicPath = join(values.out, `release-${keyIdOf(publicKey)}.pem`);
  await writeFileAtomic(privatePath, privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }), 0o600);
  await writeFileAtomic(publicPath, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
  process.stdout.write(`${privatePath}: private${passphrase === undefined ? ', not encrypted' : ''}\n${publicPath}: public, key ${keyIdOf(publicKey)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
