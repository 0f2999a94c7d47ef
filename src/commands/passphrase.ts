import { text } from 'node:stream/consumers';
import { checkPassphrase } from '../backup/passphrase.ts';
import { readSecretFile } from '../files.ts';
import type { Ask } from './ask.ts';
import { CommandFailure, EXIT } from './output.ts';

const MOST_TRIES = 3;

/** Where a passphrase comes from: a file, standard input (`-`), or the person at the terminal. Never the command line or the environment, which others can read. */
export interface PassphraseSource {
  readonly file: string | undefined;
  readonly ask: Ask;
  readonly warn: (message: string) => void;
}

/** The passphrase of a new backup; a person types it twice. Throws `relay.backup.weak-passphrase`. */
export async function newPassphrase(source: PassphraseSource): Promise<string> {
  if (source.file !== undefined) return checkPassphrase(await read(source));
  mustBeThere(source.ask);
  for (let attempt = 1; attempt <= MOST_TRIES; attempt += 1) {
    const passphrase = checkPassphrase(await source.ask.secret('Passphrase for the backup'));
    if ((await source.ask.secret('The same again')) === passphrase) return passphrase;
    source.warn('The two are not the same.');
  }
  throw new CommandFailure(EXIT.usage, 'The passphrase was not typed the same twice. Nothing was written.');
}

/** The passphrase of a backup that exists. */
export async function knownPassphrase(source: PassphraseSource): Promise<string> {
  if (source.file !== undefined) return await read(source);
  mustBeThere(source.ask);
  return await source.ask.secret('Passphrase of the backup');
}

async function read({ file = '-', warn }: PassphraseSource): Promise<string> {
  const passphrase = file === '-' ? (await text(process.stdin)).trim() : (await readSecretFile(file, warn)).trim();
  if (passphrase === '') throw new CommandFailure(EXIT.usage, 'The passphrase is empty.');
  return passphrase;
}

function mustBeThere(ask: Ask): void {
  if (!ask.isThere)
    throw new CommandFailure(
      EXIT.usage,
      'There is no terminal to ask at for the passphrase. Give it in a file or by standard input: --passphrase-file <file|->',
    );
}
