/**
 * Keeps a workspace's `data-key.json`: opens it, wraps it anew, has another provider wrap it. To be called one thing after another.
 *
 * Invariant: each change is a whole file in another's place. Killed at any moment, the old one or the new one is there, and both open: a key that
 * has wrapped it stays until it is wrapped anew.
 */
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { keepDataKey, makeDataKey } from './data-key.ts';
import { type DataKeyFile, readDataKeyFile, type WrappedBy } from './data-key-file.ts';
import { type FoundDataKey, findDataKey } from './find-data-key.ts';
import { type KeyProvider, type KeyUnavailable, unavailable, type WrapContext } from './key-provider.ts';
import { wrapPlan } from './wrap-plan.ts';

export interface DataKeyKeeperParts {
  readonly folder: string;
  readonly context: WrapContext;
  /** What is to wrap it. */
  readonly provider: KeyProvider;
  /** What may have wrapped it until now. */
  readonly others: readonly KeyProvider[];
  /** Days. */
  readonly rotateEvery: number;
  readonly clock: Pick<Clock, 'now'>;
}

/** A wrapping that has taken another's place. */
export interface Rewrapped {
  readonly outcome: 'wrapped';
  readonly from: WrappedBy;
  readonly by: WrappedBy;
  /** Set when another provider wraps it now: their names. */
  readonly providers?: { readonly from: string; readonly to: string };
}

export interface DataKeyKeeper {
  /** Makes a data key, unless there is one. */
  make(): Promise<{ readonly outcome: 'made' } | KeyUnavailable>;
  /** Opens the data key by whichever provider wraps it. A file that cannot be used is a key that cannot be had. */
  open(): Promise<FoundDataKey>;
  /** The key that `open` gave, wrapped anew by the newest key of its provider, or of another that takes its place. */
  wrapAnew(key: KeyObject, to?: KeyProvider): Promise<Rewrapped | KeyUnavailable>;
  /** The same, if it is time: another provider is wanted, it has a newer key, or its key is due. */
  wrapAnewIfDue(key: KeyObject): Promise<Rewrapped | { readonly outcome: 'not-due' } | KeyUnavailable>;
  /** What wraps it; undefined until its file could be read. */
  wrappedBy(): WrappedBy | undefined;
  provider(): KeyProvider;
}

export function createDataKeyKeeper({ folder, context, provider: wanted, others, rotateEvery, clock }: DataKeyKeeperParts): DataKeyKeeper {
  let provider = wanted;
  /** As it is on disk, and who opened it. */
  let kept: { readonly file: DataKeyFile; readonly openedBy: KeyProvider } | undefined;
  let lastRead: WrappedBy | undefined;

  const read = async (): Promise<DataKeyFile | KeyUnavailable> => {
    try {
      const file = await readDataKeyFile(folder);
      lastRead = file?.by;
      return file ?? unavailable(`there is no data-key.json in ${folder}. Restore it from a backup`);
    } catch (error) {
      return unavailable(messageOf(error));
    }
  };

  const wrapAnew = async (key: KeyObject, to: KeyProvider): Promise<Rewrapped | KeyUnavailable> => {
    if (!kept) return unavailable('it has not been opened yet');
    const { file, openedBy } = kept;
    const done = await keepDataKey(folder, { key, createdAt: file.createdAt, by: file.by }, { provider: to, context, now: clock.now() });
    if (done.outcome === 'unavailable') return done;
    kept = { file: done.file, openedBy: to };
    provider = to;
    const change = { outcome: 'wrapped', from: file.by, by: done.file.by } as const;
    return to === openedBy ? change : { ...change, providers: { from: openedBy.name, to: to.name } };
  };

  return {
    async make() {
      if ((await readDataKeyFile(folder)) !== undefined) return { outcome: 'made' };
      const createdAt = new Date(clock.now()).toISOString();
      const done = await keepDataKey(folder, { key: makeDataKey(), createdAt, by: undefined }, { provider, context, now: clock.now() });
      return done.outcome === 'unavailable' ? done : { outcome: 'made' };
    },
    async open() {
      const file = kept?.file ?? (await read());
      if ('outcome' in file) return file;
      const found = await findDataKey(file, [provider, ...others], context);
      if (found.outcome === 'opened') kept = { file, openedBy: found.provider };
      return found;
    },
    wrapAnew: (key, to = provider) => wrapAnew(key, to),
    async wrapAnewIfDue(key) {
      if (!kept) return { outcome: 'not-due' };
      const newest = await provider.currentKeyId(context);
      if (newest.outcome === 'unavailable') return newest;
      const { by } = kept.file;
      const facts = { by, currentKeyId: newest.keyId, rotateEvery, now: clock.now() };
      const plan = wrapPlan({ ...facts, isByWanted: kept.openedBy === provider, canRenew: provider.renew !== undefined });
      if (plan === 'stay') return { outcome: 'not-due' };
      if (plan === 'renew') await provider.renew?.(by.keyId);
      return wrapAnew(key, provider);
    },
    wrappedBy: () => kept?.file.by ?? lastRead,
    provider: () => provider,
  };
}
