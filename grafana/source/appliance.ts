import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './dashboard.ts';
import { YES_OR_NO } from './mappings.ts';
import { barGauge } from './panels/bar-gauge.ts';
import { gauge } from './panels/gauge.ts';
import type { UnplacedPanel } from './panels/panel.ts';
import { stat, strip } from './panels/stat.ts';
import { table } from './panels/table.ts';
import { timeSeries } from './panels/time-series.ts';
import { NODE, PROCESS, REDIS, RELAY, WORKSPACE } from './selectors.ts';
import { NEUTRAL, NONE_ALLOWED, NONE_EXPECTED, rising, YES_EXPECTED } from './thresholds.ts';
import { MINUTE } from './times.ts';
import { UNITS } from './units.ts';
import { machineVariables } from './variables.ts';

/** What the relay stands on: its process and event loop, the machine, the disk, Redis. */
export function appliance(): Dashboard {
  return dashboard({
    uid: 'relay-appliance',
    description: 'What the relay stands on: its process and event loop, the machine, the disk, Redis. Needs node-exporter and redis-exporter.',
    variables: machineVariables(),
    panels: [...now(), ...machine(), ...process(), ...redis(), ...rest()],
  });
}

function now(): UnplacedPanel[] {
  return [
    stat({
      title: 'Running for',
      meaning: 'How long the youngest relay process has run. Counters and the balance begin anew with it; what is cached does not.',
      action: 'A short time that nobody planned: `journalctl -u relay -b` has the reason. The blue marks on the graphs show earlier restarts.',
      expr: `time() - max(process_start_time_seconds{${PROCESS}})`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: [
        { value: null, color: 'orange' },
        { value: 10 * MINUTE, color: 'green' },
      ],
      noValue: 'not scraped',
    }),
    stat({
      title: 'Event loop late by',
      meaning: 'How late the relay’s event loop came in its worst hundredth: everything the relay does waits this long at times.',
      action: 'Over a second something keeps the processor from the relay: compare it with CPU and stalls below, then write a support bundle.',
      expr: `max(nodejs_eventloop_lag_p99_seconds{${PROCESS}})`,
      unit: UNITS.seconds,
      steps: rising(0.2, 1),
    }),
    gauge({
      title: 'Disk of the cache, used',
      meaning: 'How full the disk of the relay’s cache is. Below 64 MiB of room nothing more is taken, whatever cache.limit says.',
      action: 'If it is not the cache that grows (“Cache and delivery”), look for logs and dumps: `du -xh / | sort -h | tail`. Otherwise enlarge the disk.',
      expr: `1 - min(relay_disk_free_bytes{${RELAY}} / relay_disk_size_bytes{${RELAY}})`,
      steps: rising(0.8, 0.9),
    }),
    stat({
      title: 'Redis answers',
      meaning: 'Whether Redis, which holds the index of the cache, answers the relay. While it does not, agents get a 503 and keep their data.',
      action: 'Look at `systemctl status redis-server` and its log. Nothing has to be repaired afterwards: the index is made anew from the disk.',
      expr: `min(relay_redis_up{${RELAY}})`,
      unit: UNITS.none,
      mappings: YES_OR_NO,
      steps: YES_EXPECTED,
    }),
    stat({
      title: 'Redis writes safely',
      meaning: 'Whether Redis’s last write to its append-only file and its last save went well. NO means that the index would be old after a power cut.',
      action: 'Look at the disk that Redis writes to, then at its log. An older index costs duplicates, not data; still mend it today.',
      expr: `min(relay_redis_aof_last_write_ok{${RELAY}} * relay_redis_last_save_ok{${RELAY}})`,
      unit: UNITS.none,
      mappings: YES_OR_NO,
      steps: YES_EXPECTED,
    }),
    gauge({
      title: 'Memory used',
      meaning: 'Memory of the machine that is not available any more, caches of the kernel not counted.',
      action: 'Near full the kernel ends processes, Redis or the relay among them. Look which one grows in the graph below, and give the machine more.',
      expr: `1 - min(node_memory_MemAvailable_bytes{${NODE}} / node_memory_MemTotal_bytes{${NODE}})`,
      steps: rising(0.85, 0.95),
    }),
  ];
}

function machine(): UnplacedPanel[] {
  return [
    timeSeries({
      title: 'CPU and stalls',
      meaning: 'Share of the processors that was busy, and of the time in which something waited for CPU or disk (the kernel’s pressure figures).',
      action: 'Waiting for disk with little CPU is a slow disk; waiting for CPU is a machine too small for its agents: add a core.',
      width: 8,
      unit: UNITS.ratio,
      queries: [
        { expr: `1 - avg(rate(node_cpu_seconds_total{${NODE}, mode="idle"}[$__rate_interval]))`, legend: 'CPU busy' },
        { expr: `max(rate(node_pressure_cpu_waiting_seconds_total{${NODE}}[$__rate_interval]))`, legend: 'waited for CPU' },
        { expr: `max(rate(node_pressure_io_waiting_seconds_total{${NODE}}[$__rate_interval]))`, legend: 'waited for disk' },
      ],
      calculations: ['mean', 'max'],
    }),
    timeSeries({
      title: 'Disk: how long a write and a flush take',
      meaning: 'Seconds that one write, and one flush, took on average, over the slowest disk. Each acknowledgement waits for one flush.',
      action: 'Flushes over 50 ms make every agent wait: look for a busy neighbour on the same storage, a failing disk, or a controller without its cache.',
      width: 8,
      unit: UNITS.seconds,
      queries: [
        { expr: perOperation('node_disk_write_time_seconds_total', 'node_disk_writes_completed_total'), legend: 'write' },
        { expr: perOperation('node_disk_flush_requests_time_seconds_total', 'node_disk_flush_requests_total'), legend: 'flush' },
      ],
      calculations: ['mean', 'max'],
    }),
    barGauge({
      title: 'Disks, used',
      meaning: 'How full each file system of the machine is, and the cache’s own as the relay sees it.',
      action: 'Above 90 % make room or enlarge it. A full root file system stops Redis and the log, even if the cache has a disk of its own.',
      width: 8,
      unit: UNITS.ratio,
      max: 1,
      decimals: 0,
      steps: rising(0.8, 0.9),
      queries: [
        {
          expr: `1 - min by (mountpoint) (node_filesystem_avail_bytes{${NODE}, ${REAL_FILE_SYSTEMS}} / node_filesystem_size_bytes{${NODE}, ${REAL_FILE_SYSTEMS}})`,
          legend: '{{mountpoint}}',
        },
      ],
    }),
  ];
}

function process(): UnplacedPanel[] {
  return [
    timeSeries({
      title: 'Event loop and garbage collection',
      meaning: 'How late the event loop came, in the middle and in its worst hundredth, and the share of time spent on collecting garbage.',
      action: 'A p99 that rises with the number of agents is a relay at its limit: add a core or a relay. Garbage over a tenth is memory running short.',
      width: 8,
      unit: UNITS.seconds,
      queries: [
        { expr: `max(nodejs_eventloop_lag_p50_seconds{${PROCESS}})`, legend: 'median' },
        { expr: `max(nodejs_eventloop_lag_p99_seconds{${PROCESS}})`, legend: '99 of 100' },
        {
          expr: `max(sum by (instance) (rate(nodejs_gc_duration_seconds_sum{${PROCESS}}[$__rate_interval])))`,
          legend: 'garbage, share of time',
          rightUnit: UNITS.ratio,
          isDashed: true,
        },
      ],
    }),
    timeSeries({
      title: 'Memory',
      meaning: 'What the relay’s process takes, the part of it that is JavaScript’s heap, and what Redis uses. Batches on their way are kept outside the heap.',
      action: 'Saw-teeth are well. A heap that only rises over days is a leak: write a support bundle. Redis grows with the number of groups that wait.',
      width: 8,
      unit: UNITS.bytes,
      queries: [
        { expr: `max(process_resident_memory_bytes{${PROCESS}})`, legend: 'relay' },
        { expr: `max(nodejs_heap_size_used_bytes{${PROCESS}})`, legend: 'relay, heap' },
        { expr: `max(relay_redis_memory_used_bytes{${RELAY}})`, legend: 'Redis' },
        { expr: `max(relay_redis_memory_limit_bytes{${RELAY}} > 0)`, legend: 'Redis, limit', isDashed: true },
      ],
    }),
    timeSeries({
      title: 'CPU of the relay, and the log',
      meaning: 'Processor seconds a second that the relay’s process takes, and lines logged a minute by level. error: somebody must act; warn: heals itself.',
      action: 'Any error line: `journalctl -u relay -p err`. A relay at 1 or more uses its main thread fully: see the event loop beside it.',
      width: 8,
      unit: UNITS.ratio,
      queries: [
        { expr: `sum(rate(process_cpu_seconds_total{${PROCESS}}[$__rate_interval]))`, legend: 'CPU' },
        {
          expr: `60 * sum by (level) (rate(relay_log_lines_total{${RELAY}, level=~"warn|error"}[$__rate_interval]))`,
          legend: '{{level}}',
          rightUnit: UNITS.count,
        },
      ],
    }),
  ];
}

function redis(): UnplacedPanel[] {
  return [
    timeSeries({
      title: 'The index in Redis',
      meaning: 'Entries of the index by Redis’s own states, and the groups that the cache holds. The broken line and the sum of the others stay together.',
      action:
        'If they part for minutes the index is behind the disk: the relay makes them agree at its next start or when Redis comes back. failed is a fault.',
      width: 8,
      unit: UNITS.count,
      isStacked: true,
      queries: [
        { expr: `sum by (state) (relay_index_jobs{${WORKSPACE}})`, legend: '{{state}}' },
        { expr: `sum(relay_cache_groups{${WORKSPACE}})`, legend: 'groups in the cache', isDashed: true },
      ],
      calculations: ['lastNotNull'],
    }),
    timeSeries({
      title: 'Redis: commands and their time',
      meaning: 'Commands a second, and how long one takes on average on the side of Redis.',
      action: 'Over a millisecond a command Redis is starved of CPU, swaps, or rewrites its file on a slow disk. Nothing else should use this Redis.',
      width: 8,
      unit: UNITS.operationsPerSecond,
      queries: [
        { expr: `sum(rate(redis_commands_processed_total{${REDIS}}[$__rate_interval]))`, legend: 'commands' },
        {
          expr: `sum(rate(redis_commands_duration_seconds_total{${REDIS}}[$__rate_interval])) / sum(rate(redis_commands_total{${REDIS}}[$__rate_interval]))`,
          legend: 'time of one',
          rightUnit: UNITS.seconds,
          isDashed: true,
        },
      ],
      calculations: ['mean', 'max'],
    }),
    table({
      title: 'Releases',
      meaning: 'Which release of the relay runs where, and on which Node.js. Relays that share a management group should run the same.',
      action: 'Upgrade the ones behind, one after the other: what is cached stays, and agents wait or go to another relay meanwhile.',
      width: 8,
      expr: `max by (instance, version, node) (relay_build_info{${RELAY}})`,
      heads: { instance: 'Relay', version: 'Release', node: 'Node.js' },
      value: { head: 'Runs', unit: UNITS.none, steps: NEUTRAL },
      hidesValue: true,
    }),
  ];
}

function rest(): UnplacedPanel[] {
  return [
    strip({
      title: 'What should be 0, and a few limits',
      meaning:
        'Targets that Prometheus cannot scrape; keys that Redis threw away or writes of its file that came late, and processes ended for lack of memory, within the time shown; the clock’s estimated error; open files; the size of Redis’s file.',
      action:
        'Evicted keys: set `maxmemory-policy noeviction`. Late flushes: a slow disk. Ended for memory: enlarge the machine. Not scraped: the exporter or the firewall of the management network.',
      width: 24,
      figures: [
        { name: 'Targets down', expr: 'count(up{job=~"relay|node|redis"} == 0) or vector(0)', steps: NONE_ALLOWED },
        { name: 'Keys evicted', expr: `sum(increase(relay_redis_evicted_keys_total{${RELAY}}[$__range]))`, steps: NONE_ALLOWED },
        { name: 'Late flushes of Redis', expr: `sum(increase(redis_aof_delayed_fsync{${REDIS}}[$__range]))`, steps: NONE_EXPECTED },
        { name: 'Size of Redis’s file', expr: `max(redis_aof_current_size_bytes{${REDIS}})`, steps: NEUTRAL, unit: UNITS.bytes },
        { name: 'Ended for memory', expr: `sum(increase(node_vmstat_oom_kill{${NODE}}[$__range]))`, steps: NONE_ALLOWED },
        { name: 'Clock’s error', expr: `max(node_timex_estimated_error_seconds{${NODE}})`, steps: rising(0.5, 5), unit: UNITS.seconds },
        { name: 'Open files', expr: `max(process_open_fds{${PROCESS}} / process_max_fds{${PROCESS}})`, steps: rising(0.7, 0.9), unit: UNITS.ratio },
        {
          name: 'Errors on the network',
          expr: `sum(increase(node_network_receive_errs_total{${NODE}}[$__range])) + sum(increase(node_network_transmit_errs_total{${NODE}}[$__range]))`,
        },
      ],
    }),
  ];
}

const REAL_FILE_SYSTEMS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|fuse.*|efivarfs"';

/** Seconds that one operation took, of the slowest disk; disks without any are left out. */
function perOperation(seconds: string, operations: string): string {
  return `max(rate(${seconds}{${NODE}}[$__rate_interval]) / (rate(${operations}{${NODE}}[$__rate_interval]) > 0))`;
}
