import type { BatchId } from '../batch/batch-id.ts';
import type { Route } from '../check-in/agent-configuration.ts';

/** Batches by data type. */
export type CountsByType = Readonly<Record<string, number>>;

/** What became of the agent's batches. Since start, but for `queued`: `collected` and what waited at start = `queued` + the other four. */
export interface QueueFigures {
  readonly collected: CountsByType;
  /** Waiting now. */
  readonly queued: CountsByType;
  /** Answered with 2xx. */
  readonly acknowledged: CountsByType;
  /** Given up because the queue was full. */
  readonly dropped: CountsByType;
  /** Put aside because the relay will never take them. */
  readonly refused: CountsByType;
  /** Put aside because their files were damaged. */
  readonly unreadable: CountsByType;
}

export type Fate = keyof QueueFigures;

export interface QueueCounts {
  count(fate: Fate, dataType: string, by?: number): void;
  /** Counts and, if asked to at the beginning, remembers an acknowledged batch. */
  acknowledged(dataType: string, id: BatchId, route: Route): void;
  figures(): QueueFigures;
  /** What was acknowledged, by the route it went. */
  acknowledgedBy(): Readonly<Record<Route, CountsByType>>;
  /** The ids of all acknowledged batches; empty unless they are remembered. */
  acknowledgedIds(): ReadonlySet<BatchId>;
}

/** Starts all counts at nought. Remembering every acknowledged id is for demonstrations and tests: it grows without limit. */
export function createQueueCounts(rememberAcknowledged: boolean): QueueCounts {
  const figures: Record<Fate, Record<string, number>> = { collected: {}, queued: {}, acknowledged: {}, dropped: {}, refused: {}, unreadable: {} };
  const byRoute: Record<Route, Record<string, number>> = { relay: {}, direct: {} };
  const ids = new Set<BatchId>();
  const count: QueueCounts['count'] = (fate, dataType, by = 1) => {
    figures[fate][dataType] = (figures[fate][dataType] ?? 0) + by;
  };
  return {
    count,
    acknowledged(dataType, id, route) {
      count('acknowledged', dataType);
      byRoute[route][dataType] = (byRoute[route][dataType] ?? 0) + 1;
      if (rememberAcknowledged) ids.add(id);
    },
    figures: () => structuredClone(figures),
    acknowledgedBy: () => structuredClone(byRoute),
    acknowledgedIds: () => ids,
  };
}
