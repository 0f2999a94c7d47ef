import { stat } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { readSecretFile } from '../../files.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import { type KeyProvider, type KeyUnavailable, unavailable } from './key-provider.ts';
import { unwrapBy, wrapBy } from './wrapping.ts';

const MOST_FILE_BYTES = 256 * 1024;

/**
 * Wraps by a key file that the customer owns, wherever it is: a stick, another mount. It is read each time: taken away, its keys are gone.
 * `warn` is told once when others may read it too.
 */
export function createFileKeyProvider(path: string, warn: (message: string) => void): KeyProvider {
  let hasWarned = false;
  const warnOnce = (message: string): void => {
    if (!hasWarned) warn(message);
    hasWarned = true;
  };
  const read = async (): Promise<Extract<KeyFile, { isGood: true }> | KeyUnavailable> => {
    try {
      const found = await stat(path);
      if (!found.isFile()) return unavailable(`${path} is no file`);
      if (found.size > MOST_FILE_BYTES) return unavailable(`${path} has ${found.size} bytes, more than any key file (${MOST_FILE_BYTES})`);
      const file = readKeyFile(await readSecretFile(path, warnOnce));
      return file.isGood ? file : unavailable(`the key file ${path} cannot be used: ${file.problem}`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return unavailable(code === 'ENOENT' ? `there is no file ${path}` : `the key file ${path} cannot be read: ${messageOf(error)}`);
    }
  };
  return {
    kind: 'file',
    name: `the key file ${path}`,
    async wrap(plain, context) {
      const file = await read();
      return 'outcome' in file ? file : { outcome: 'wrapped', keyId: file.keys[0].id, wrapped: wrapBy(file.keys[0], plain, context) };
    },
    async unwrap({ keyId, wrapped }, context) {
      const file = await read();
      if ('outcome' in file) return file;
      const key = file.keys.find(({ id }) => id === keyId);
      return key ? unwrapBy(key, wrapped, context) : unavailable(`key ${keyId} is not in the key file ${path}`);
    },
    async currentKeyId() {
      const file = await read();
      return 'outcome' in file ? file : { outcome: 'known', keyId: file.keys[0].id };
    },
  };
}
