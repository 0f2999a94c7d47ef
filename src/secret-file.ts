import { stat } from 'node:fs/promises';
import { RelayError } from './errors.ts';
import { readSecretFile } from './files.ts';

/** A file that holds a secret and may be given another one at any time. */
export interface SecretFile {
  /** As it is at this moment; read again only when the file was touched. Throws `relay.secret.unreadable` and `relay.secret.empty`. */
  read(): Promise<string>;
}

/** `warn` is told when others may read the file too. */
export function createSecretFile(path: string, warn: (message: string) => void): SecretFile {
  let last: { readonly stamp: string; readonly secret: string } | undefined;
  return {
    async read() {
      const stamp = await stampOf(path);
      if (last !== undefined && last.stamp === stamp) return last.secret;
      const secret = await readSecretFile(path, warn);
      if (secret === '') throw new RelayError('relay.secret.empty', `The secret file ${path} is empty. Put the secret into it.`);
      last = { stamp, secret };
      return secret;
    },
  };
}

// Empty when there is no file, which no file that was read has: reading it then says why.
async function stampOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found ? [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ') : '';
}
