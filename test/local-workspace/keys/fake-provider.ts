import { type KeyProvider, type KeyProviderKind, type KeyUnavailable, unavailable } from '../../../src/local-workspace/keys/key-provider.ts';
import { unwrapBy, type WrappingKey, wrapBy } from '../../../src/local-workspace/keys/wrapping.ts';

/** A provider with keys in memory that a test makes fail as it likes. */
export interface FakeProvider {
  readonly provider: KeyProvider;
  /** Every answer is this one from now on; undefined: the true ones. */
  refuse(refusal: KeyUnavailable | undefined): void;
  /** No answer comes any more. */
  hang(): void;
  fail(error: Error): void;
  /** A newer key: `2`, `3`, … */
  rotate(): void;
  /** Wraps come back as other keys. */
  spoil(): void;
}

export function createFakeProvider(kind: KeyProviderKind, more: Pick<KeyProvider, 'renew'> = {}): FakeProvider {
  const keys: WrappingKey[] = [];
  let refusal: KeyUnavailable | undefined;
  let failure: Error | undefined;
  let isHanging = false;
  let isSpoiling = false;
  const rotate = (): void => void keys.unshift({ id: String(keys.length + 1), bytes: Buffer.alloc(32, keys.length + 1) });
  rotate();

  const answer = async <T>(give: (newest: WrappingKey) => T): Promise<T | KeyUnavailable> => {
    if (failure) throw failure;
    if (isHanging) await new Promise(() => {});
    const [newest] = keys;
    return refusal ?? (newest ? give(newest) : unavailable('it has no keys'));
  };
  const provider: KeyProvider = {
    kind,
    name: `the fake ${kind}`,
    wrap: (plain, context) =>
      answer((newest) => ({ outcome: 'wrapped', keyId: newest.id, wrapped: wrapBy(newest, isSpoiling ? Buffer.alloc(32) : plain, context) })),
    unwrap: ({ keyId, wrapped }, context) =>
      answer(() => {
        const key = keys.find(({ id }) => id === keyId);
        return key ? unwrapBy(key, wrapped, context) : unavailable(`key ${keyId} is not there`);
      }),
    currentKeyId: () => answer(({ id }) => ({ outcome: 'known', keyId: id })),
    ...more,
  };
  return {
    provider,
    refuse: (next) => {
      refusal = next;
    },
    hang: () => {
      isHanging = true;
    },
    fail: (error) => {
      failure = error;
    },
    rotate,
    spoil: () => {
      isSpoiling = true;
    },
  };
}
