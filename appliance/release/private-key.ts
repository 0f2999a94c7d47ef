import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../src/errors.ts';
import { readSecretFile } from '../../src/files.ts';

/** Reads a private key that signs releases; an encrypted one with the passphrase in the other file. */
export async function readPrivateKey(path: string, passphraseFile: string | undefined): Promise<KeyObject> {
  const warn = (message: string): void => void process.stderr.write(`${message}\n`);
  const passphrase = passphraseFile === undefined ? undefined : (await readSecretFile(passphraseFile, warn)).split('\n')[0];
  const pem = await readFile(path);
  const key = parse(pem, path, passphrase);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`${path} holds a key of type ${key.asymmetricKeyType}; releases are signed by Ed25519: npm run release:key`);
  return key;
}

function parse(pem: Buffer, path: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    throw new Error(
      `${path} cannot be used as a private key${passphrase === undefined ? ' (if it is encrypted: --passphrase-file)' : ''}: ${messageOf(cause)}`,
    );
  }
}
