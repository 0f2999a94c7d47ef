import { type KeyProvider, unavailable } from './key-provider.ts';
import type { ServiceKeys } from './service-keys.ts';
import { unwrapBy, wrapBy } from './wrapping.ts';

/** Wraps by the service's own keys. They are made when the first data key is wrapped. */
export function createServiceKeyProvider(keys: ServiceKeys): KeyProvider {
  const name = `the service key in ${keys.path}`;
  const noFile = unavailable(`there is no file ${keys.path}. Restore it from a backup`);
  return {
    kind: 'service',
    name,
    async wrap(plain, context) {
      const key = await keys.currentOrMade();
      return { outcome: 'wrapped', keyId: key.id, wrapped: wrapBy(key, plain, context) };
    },
    async unwrap({ keyId, wrapped }, context) {
      const key = await keys.find(keyId);
      if (key === 'no-file') return noFile;
      if (key === 'none') return unavailable(`version ${keyId} of the service key is not in ${keys.path}. Restore the file from a backup`);
      return unwrapBy(key, wrapped, context);
    },
    async currentKeyId() {
      const key = await keys.current();
      return key ? { outcome: 'known', keyId: key.id } : noFile;
    },
    async renew(keyId) {
      await keys.rotate(keyId);
    },
  };
}
