import type { KeyObject } from 'node:crypto';
import { openDataKey } from './data-key.ts';
import type { DataKeyFile } from './data-key-file.ts';
import { type KeyProvider, type KeyUnavailable, unavailable, type WrapContext } from './key-provider.ts';

export type FoundDataKey =
  | { readonly outcome: 'opened'; readonly key: KeyObject; readonly id: string; readonly file: DataKeyFile; readonly provider: KeyProvider }
  | KeyUnavailable;

/**
 * Opens a data key by the first of these providers that can: that of the settings first, then those that may have wrapped it before the settings
 * changed. When none can, the first of the right kind says why.
 */
export async function findDataKey(file: DataKeyFile, providers: readonly KeyProvider[], context: WrapContext): Promise<FoundDataKey> {
  const { by, id } = file;
  let refusal: KeyUnavailable | undefined;
  for (const provider of providers.filter(({ kind }) => kind === by.provider)) {
    const opened = await openDataKey(file, provider, context);
    if (opened.outcome === 'opened') return { outcome: 'opened', key: opened.key, id, file, provider };
    refusal ??= opened;
  }
  const wanted = providers.map(({ name }) => name).join(', nor ');
  return refusal ?? unavailable(`it is wrapped by key ${by.keyId} of the kind "${by.provider}", which is not ${wanted}. Put the settings of its key back`);
}
