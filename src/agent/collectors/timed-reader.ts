import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';

const TIMEOUT_MS = 10_000;

/**
 * Wraps a look at the machine that may hang, as at a dead network mount. It throws `relay.agent.slow-counters` after ten seconds, and
 * does not look again before the last look has returned: hanging ones do not pile up.
 */
export function createTimedReader<Value>(read: () => Promise<Value>, clock: Clock): () => Promise<Value> {
  let underWay = false;
  return async () => {
    if (underWay)
      throw new RelayError('relay.agent.slow-counters', 'The last look at these counters has not returned yet. Look for a mount or a device that hangs.');
    underWay = true;
    const reading = read().finally(() => {
      underWay = false;
    });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(TIMEOUT_MS, () =>
      reject(new RelayError('relay.agent.slow-counters', `These counters took more than ${TIMEOUT_MS / 1_000} s. Look for a mount or a device that hangs.`)),
    );
    return Promise.race([reading, late]).finally(cancel);
  };
}
