import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type Refusal, ruleOf } from './refusals.ts';

/** Counts every refusal and logs it; of many for the same reason the log writes a few and their number. */
export function createRefusalLog({ metrics, log }: { metrics: Metrics; log: Logger }): (refusal: Refusal, remoteAddress?: string) => void {
  return ({ reason, found }, remoteAddress) => {
    const { level, meaning } = ruleOf(reason);
    metrics.count('tunnelConnections', { outcome: reason });
    log[level]({ code: `relay.tunnel.${reason}`, reason, found, remoteAddress }, `a tunnel was refused: ${meaning}`);
  };
}
