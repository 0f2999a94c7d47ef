import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type Refusal, type RefusalReason, ruleOf } from './refusals.ts';

const WINDOW_MS = 60_000;
const LINES_PER_WINDOW = 10;

interface Window {
  startedAt: number;
  lines: number;
  left: number;
}

/** Counts every refusal and logs it, though no more than ten a minute for each reason: the next line then says how many were left out. */
export function createRefusalLog({ clock, metrics, log }: { clock: Clock; metrics: Metrics; log: Logger }): (refusal: Refusal, remoteAddress?: string) => void {
  const windows = new Map<RefusalReason, Window>();

  return ({ reason, found }, remoteAddress) => {
    metrics.count('tunnelConnections', { outcome: reason });
    const now = clock.now();
    let window = windows.get(reason);
    if (!window || Math.abs(now - window.startedAt) >= WINDOW_MS) {
      window = { startedAt: now, lines: 0, left: window?.left ?? 0 };
      windows.set(reason, window);
    }
    if (window.lines >= LINES_PER_WINDOW) {
      window.left += 1;
      return;
    }
    const { level, meaning } = ruleOf(reason);
    const notLogged = window.left === 0 ? {} : { notLogged: window.left };
    log[level]({ reason, found, remoteAddress, ...notLogged }, `a tunnel was refused: ${meaning}`);
    window.lines += 1;
    window.left = 0;
  };
}
