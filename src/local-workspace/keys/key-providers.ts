import type { Clock } from '../../clock.ts';
import { createCommandKeyProvider } from './command-key-provider.ts';
import { createFileKeyProvider } from './file-key-provider.ts';
import type { KeyProvider } from './key-provider.ts';
import type { KeySettings } from './keys-settings.ts';
import { createPkcs11KeyProvider } from './pkcs11-key-provider.ts';
import { createPkcs11Token, type Pkcs11Token, type TokenSettings } from './pkcs11-token.ts';
import { createServiceKeyProvider } from './service-key-provider.ts';
import type { ServiceKeys } from './service-keys.ts';

export interface KeyProvidersParts {
  readonly serviceKeys: ServiceKeys;
  readonly clock: Clock;
  /** Told once of each secret's file that others may read too. */
  readonly warn: (message: string) => void;
}

/** Gives the provider that settings ask for. One for the whole process: workspaces on one token share what is known of its PIN. */
export function createKeyProviders({ serviceKeys, clock, warn }: KeyProvidersParts): (settings: KeySettings) => KeyProvider {
  const tokens = new Map<string, Pkcs11Token>();
  const tokenOf = (settings: TokenSettings): Pkcs11Token => {
    const { module, tokenLabel, pinFile, environment } = settings;
    const name = JSON.stringify([module, tokenLabel, pinFile, environment]);
    const token = tokens.get(name) ?? createPkcs11Token(settings, { clock, warn });
    tokens.set(name, token);
    return token;
  };
  return (settings) => {
    switch (settings.kind) {
      case 'service':
        return createServiceKeyProvider(serviceKeys);
      case 'file':
        return createFileKeyProvider(settings.path, warn);
      case 'command':
        return createCommandKeyProvider(settings.command, clock);
      case 'pkcs11':
        return createPkcs11KeyProvider(tokenOf(settings), settings);
    }
  };
}
