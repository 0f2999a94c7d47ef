import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { type KeyProvider, type KeyUnavailable, unavailable, unavailableForNow } from './key-provider.ts';

/** Longer than the programs of a provider may take, one after another. */
const LIMIT_MS = 30_000;

/**
 * The provider, with an answer to everything: within 30 s, at once when `stopping` is aborted, and where it throws. A mount that hangs, or a
 * surprise, is a key that cannot be had.
 */
export function limitedProvider(provider: KeyProvider, clock: Clock, stopping: AbortSignal): KeyProvider {
  const limited = <T>(work: () => Promise<T>): Promise<T | KeyUnavailable> =>
    new Promise((resolve) => {
      const end = (answer: T | KeyUnavailable): void => {
        cancel();
        stopping.removeEventListener('abort', stop);
        resolve(answer);
      };
      const stop = (): void => end(unavailableForNow('the service is stopping'));
      const cancel = clock.after(LIMIT_MS, () => end(unavailableForNow(`${provider.name} did not answer within ${LIMIT_MS / 1000} s`)));
      stopping.addEventListener('abort', stop);
      if (stopping.aborted) stop();
      else
        Promise.resolve()
          .then(work)
          .then(end, (error: unknown) => end(unavailable(messageOf(error))));
    });
  return {
    ...provider,
    wrap: (plain, context) => limited(() => provider.wrap(plain, context)),
    unwrap: (wrapped, context) => limited(() => provider.unwrap(wrapped, context)),
    currentKeyId: (context) => limited(() => provider.currentKeyId(context)),
  };
}
