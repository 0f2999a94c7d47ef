import type { Clock } from '../../clock.ts';
import type { Collector } from '../collecting.ts';
import { PERFORMANCE } from '../instructions.ts';
import { COUNTER_GROUPS, type Counters } from './counters.ts';
import { createTimedReader } from './timed-reader.ts';

/** The counters of one thing, in the Linux agent's shape (§4). */
export interface PerformanceRecord {
  readonly Timestamp: string;
  readonly Host: string;
  readonly ObjectName: string;
  readonly InstanceName: string;
  readonly Collections: readonly { readonly CounterName: string; readonly Value: number }[];
}

/** Reads the machine's performance counters every `everyMs`. A group that fails or takes over ten seconds is left out, the others are sent. */
export function createPerformanceCollector(hostName: string, everyMs: number, clock: Clock): Collector {
  const readers = COUNTER_GROUPS.map((read) => createTimedReader(read, clock));
  return {
    name: 'performance',
    solution: PERFORMANCE,
    everyMs,
    async collect(put) {
      const groups = await Promise.allSettled(readers.map((read) => read()));
      const counters = groups.flatMap((group) => (group.status === 'fulfilled' ? group.value : []));
      const records = counters.flatMap((each) => recordOf(each, hostName, clock.now()));
      if (records.length > 0) await put({ dataType: 'LINUX_PERF_BLOB', solution: 'LogManagement', records });
      const failed = groups.find((group) => group.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}

// A counter that this machine does not have comes as null or NaN and is left out.
function recordOf({ object, instance, values }: Counters, host: string, nowMs: number): PerformanceRecord[] {
  const collections = Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'number' && Number.isFinite(value) ? [{ CounterName: name, Value: Math.round(value * 1_000) / 1_000 }] : [],
  );
  const timestamp = new Date(nowMs).toISOString();
  return collections.length > 0 ? [{ Timestamp: timestamp, Host: host, ObjectName: object, InstanceName: instance, Collections: collections }] : [];
}
