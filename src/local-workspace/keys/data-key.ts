/**
 * A workspace's data key: 32 bytes made by chance, from which the keys of all its files are derived. On disk it is only ever wrapped.
 *
 * Invariant: what is written in its place has been unwrapped before, and gave the same key. A provider that wraps badly cannot make it be lost.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { type DataKeyFile, readDataKeyFile, writeDataKeyFile } from './data-key-file.ts';
import { type KeyProvider, type KeyUnavailable, unavailable, type WrapContext } from './key-provider.ts';

const KEY_BYTES = 32;

export type OpenedDataKey = { readonly outcome: 'opened'; readonly key: KeyObject; readonly file: DataKeyFile } | KeyUnavailable;

/** Makes one by chance. */
export function makeDataKey(): KeyObject {
  const bytes = randomBytes(KEY_BYTES);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Eight hexadecimal digits that are made from the key: another key under its id is noticed. They tell nothing of it. */
export function dataKeyId(key: KeyObject): string {
  return createHmac('sha256', key).update('relay data key id').digest('hex').slice(0, 8);
}

/** Unwraps the key. A file that was damaged or brought from elsewhere is one that cannot be had, with the words for it. */
export async function openDataKey(file: DataKeyFile, provider: KeyProvider, context: WrapContext): Promise<OpenedDataKey> {
  const { workspace, by, wrapped } = file;
  if (workspace !== context.workspaceId) return unavailable('its data-key.json is that of another workspace. Restore its own from a backup');
  const answer = await provider.unwrap({ keyId: by.keyId, wrapped: Buffer.from(wrapped, 'base64') }, context);
  if (answer.outcome === 'unavailable') return answer;
  const key = answer.outcome === 'unwrapped' && answer.plain.length === KEY_BYTES ? createSecretKey(answer.plain) : undefined;
  if (answer.outcome === 'unwrapped') answer.plain.fill(0);
  if (key && dataKeyId(key) === file.id) return { outcome: 'opened', key, file };
  return unavailable(
    `${provider.name} does not open its data-key.json: the file was changed, or key ${by.keyId} is another than it was. Restore the one or the other`,
  );
}

export interface DataKeyWrap {
  readonly key: KeyObject;
  readonly createdAt: string;
  /** What wraps it now; it keeps its age if it is the same key. */
  readonly by: DataKeyFile['by'] | undefined;
}

/** Wraps the key by the provider's newest key, tries that it opens again, and writes it to the workspace's folder: whole or not at all. */
export async function keepDataKey(
  folder: string,
  { key, createdAt, by }: DataKeyWrap,
  { provider, context, now }: { readonly provider: KeyProvider; readonly context: WrapContext; readonly now: number },
): Promise<{ readonly outcome: 'kept'; readonly file: DataKeyFile } | KeyUnavailable> {
  const plain = key.export();
  try {
    const answer = await provider.wrap(plain, context);
    if (answer.outcome === 'unavailable') return answer;
    const { keyId, wrapped } = answer;
    const again = await provider.unwrap({ keyId, wrapped }, context);
    if (again.outcome === 'unavailable') return again;
    if (again.outcome === 'damaged' || !isSameKey(again.plain, plain)) return unavailable(`${provider.name} wraps it but does not give it back as it was`);
    const since = by?.provider === provider.kind && by.keyId === keyId ? by.since : new Date(now).toISOString();
    const file: DataKeyFile = {
      format: 1,
      workspace: context.workspaceId,
      id: dataKeyId(key),
      createdAt,
      by: { provider: provider.kind, keyId, since },
      wrapped: wrapped.toString('base64'),
    };
    await writeDataKeyFile(folder, file);
    return { outcome: 'kept', file };
  } finally {
    plain.fill(0);
  }
}

/** Which of the service's keys wrap the data keys in these folders of workspaces. Throws as `readDataKeyFile`: then none may be forgotten. */
export async function serviceKeysInUse(folders: readonly string[]): Promise<ReadonlySet<string>> {
  const files = await Promise.all(folders.map(readDataKeyFile));
  return new Set(files.flatMap((file) => (file?.by.provider === 'service' ? [file.by.keyId] : [])));
}

function isSameKey(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
