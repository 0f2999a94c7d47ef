import type { Prometheus } from '../../src/demo/prometheus.ts';
import { eventually } from './eventually.ts';

const POLL_MS = 100;

/** An alert as it was seen to fire: `RelayUpstreamDown page 11111111-…`, the workspace where it has one. */
export type Fired = string;

/** Watches which alerts fire, in which order. */
export interface AlertWatch extends AsyncDisposable {
  /** All that have fired since the start, or since `forget`, each once, in the order in which they began to. */
  fired(): readonly Fired[];
  /** Those that fire now. */
  firing(): readonly Fired[];
  /** Waits until these fire, whatever else does. */
  fires(...alerts: readonly Fired[]): Promise<void>;
  /** Waits until none fires any more. */
  allClear(): Promise<void>;
  forget(): void;
}

/** Begins to watch. Alerts that tell of the machine below the relay, by the names in `besides`, are left out. */
export function watchAlerts(prometheus: Prometheus, besides: ReadonlySet<string>): AlertWatch {
  const first = new Map<Fired, number>();
  let current: readonly Fired[] = [];
  let isOver = false;

  const look = async (): Promise<void> => {
    const alerts = (await prometheus.alerts()).filter(({ state, name }) => state === 'firing' && !besides.has(name));
    current = alerts.map(({ name, labels }) => [name, labels['severity'], labels['workspace']].filter((part) => part !== undefined && part !== '').join(' '));
    // Of those that began between two looks, the one whose condition came first goes first.
    const news = current.map((alert, at) => ({ alert, since: alerts[at]?.activeAt.getTime() ?? 0 })).toSorted((a, b) => a.since - b.since);
    for (const { alert } of news) if (!first.has(alert)) first.set(alert, first.size);
  };
  const watch = async (): Promise<void> => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const watching = watch();
  watching.catch(() => {});

  return {
    fired: () => [...first.keys()],
    firing: () => current,
    async fires(...alerts) {
      await eventually(`${alerts.join(', ')} fire`, () => alerts.every((alert) => current.includes(alert))).catch((error: unknown) => {
        throw new Error(`${String(error)}; fired: ${[...first.keys()].join(', ') || 'none'}`);
      });
    },
    async allClear() {
      await eventually('no alert fires', () => current.length === 0).catch((error: unknown) => {
        throw new Error(`${String(error)}; still firing: ${current.join(', ')}`);
      });
    },
    forget: () => first.clear(),
    async [Symbol.asyncDispose]() {
      isOver = true;
      await watching;
    },
  };
}
