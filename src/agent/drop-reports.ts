import { KINDS, type Kind, kindOf } from '../batch/kind.ts';
import { type Clock, every } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { CountsByType, QueueCounts } from './queue-counts.ts';

const SUMMARY_MS = 60_000;

/** Says once a minute what a full queue has dropped since the last time, by kind. The function returned says the rest and ends it. */
export function startDropReports(counts: QueueCounts, clock: Clock, log: Logger): () => void {
  let told: CountsByType = {};
  const report = (): void => {
    const { dropped } = counts.figures();
    const sinceThen = byKind(dropped, told);
    told = dropped;
    if (Object.keys(sinceThen).length > 0) log.error({ dropped: sinceThen }, 'the queue is full: batches were dropped, the lowest kind and its oldest first');
  };
  const end = every(clock, SUMMARY_MS, report);
  return () => {
    end();
    report();
  };
}

function byKind(now: CountsByType, before: CountsByType): Partial<Record<Kind, number>> {
  const kinds = KINDS.map(
    (kind) => [kind, Object.keys(now).reduce((sum, type) => sum + (kindOf(type, '') === kind ? (now[type] ?? 0) - (before[type] ?? 0) : 0), 0)] as const,
  );
  return Object.fromEntries(kinds.filter(([, count]) => count > 0));
}
