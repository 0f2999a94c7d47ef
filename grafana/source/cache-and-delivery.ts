import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './dashboard.ts';
import { EXACT_OR_NOT } from './mappings.ts';
import { orNone } from './or-none.ts';
import { barGauge } from './panels/bar-gauge.ts';
import { gauge } from './panels/gauge.ts';
import { heatmap } from './panels/heatmap.ts';
import type { UnplacedPanel } from './panels/panel.ts';
import { stat, strip } from './panels/stat.ts';
import { table } from './panels/table.ts';
import { timeSeries } from './panels/time-series.ts';
import { KIND, RELAY, WORKSPACE } from './selectors.ts';
import { NEUTRAL, NONE_ALLOWED, rising } from './thresholds.ts';
import { DAY, HOUR, MINUTE } from './times.ts';
import { UNITS } from './units.ts';
import { kindVariable } from './variables.ts';

const LATENCY_BUCKETS = `sum by (le) (rate(relay_delivery_latency_seconds_bucket{${KIND}}[$__rate_interval]))`;

/** What waits, for how long, and where everything went. */
export function cacheAndDelivery(): Dashboard {
  return dashboard({
    uid: 'relay-cache',
    description: 'What waits, for how long, and where everything went: delivered, cached, dead letter or dropped.',
    variables: [kindVariable()],
    panels: [...now(), ...waiting(), ...latency(), ...endings(), ...rare()],
  });
}

function now(): UnplacedPanel[] {
  return [
    stat({
      title: 'Waiting',
      meaning: 'Bytes in the cache that wait for upstream, as they came over the wire, and their course.',
      action: 'In an outage it grows, and that is what the cache is for. If it grows without one, look at the answers in “Upstream and network paths”.',
      expr: `sum(relay_cache_bytes{${KIND}})`,
      unit: UNITS.bytes,
      steps: NEUTRAL,
      hasTrend: true,
    }),
    gauge({
      title: 'Cache used',
      meaning:
        'Stored groups and dead letters, against cache.limit, of the fullest relay. When it is full the oldest data of the least important kind is dropped.',
      action: 'Mend the workspace whose data piles up, or raise `cache.limit` if the disk has room. `relay cache status` names the biggest.',
      expr: `max(relay_cache_used_bytes{${RELAY}} / relay_cache_limit_bytes{${RELAY}})`,
      steps: rising(0.7, 0.9),
    }),
    stat({
      title: 'Oldest due data',
      meaning: 'For how long the oldest batch that may be sent now could have been. Data of a workspace that is away or paused does not count.',
      action: 'Over ten minutes while workspaces answer means that sending is stuck or too slow: compare it with the consumer’s progress beside it.',
      expr: `max(relay_cache_oldest_due_age_seconds{${WORKSPACE}})`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: rising(2 * MINUTE, 10 * MINUTE),
    }),
    stat({
      title: 'Consumer’s last progress',
      meaning:
        'How long ago the slowest consumer brought something to an end, among workspaces that answer and are not paused. An idle relay shows a minute at most.',
      action: 'Over a few minutes it is stuck. The watchdog reconnects by itself, at last it restarts the relay; look for `watchdog` in `journalctl -u relay`.',
      expr: `max((time() - relay_consumer_last_progress_timestamp_seconds{${WORKSPACE}}) and (relay_upstream_up{${WORKSPACE}} == 1) and (relay_cache_paused{${WORKSPACE}} == 0)) or vector(0)`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: rising(3 * MINUTE, 15 * MINUTE),
    }),
    stat({
      title: 'Oldest dead letter',
      meaning: 'For how long the oldest dead letter has been one; 0 when there is none. Dead letters are never sent again by themselves.',
      action: 'Run `relay dead-letters list` and decide: mend the cause and `relay dead-letters replay`, or `relay dead-letters discard`.',
      expr: `max(relay_dead_letter_oldest_age_seconds{${WORKSPACE}})`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: rising(HOUR, DAY),
    }),
    stat({
      title: 'Balance',
      meaning: 'Batches that the books miss. Exact means that received and recovered are delivered, cached, dead letters or dropped, to the last batch.',
      action: 'Anything but exact is a fault of the relay. Write a support bundle with `relay support-bundle` before a restart begins the figures anew.',
      expr: `sum(abs(relay_balance_unaccounted_batches{${KIND}}))`,
      unit: UNITS.count,
      mappings: EXACT_OR_NOT,
      steps: NONE_ALLOWED,
    }),
  ];
}

function waiting(): UnplacedPanel[] {
  return [
    timeSeries({
      title: 'Waiting by kind',
      meaning:
        'Bytes in the cache by kind of data. When the cache is full, kinds give way in the order Performance, Metadata, State, Configuration, Event, Alert.',
      action: 'If one kind fills the cache, ask whether all of it is needed: `relay solutions list` shows what agents collect, how often and by which way.',
      width: 12,
      unit: UNITS.bytes,
      isStacked: true,
      queries: [{ expr: `sum by (kind) (relay_cache_bytes{${KIND}})`, legend: '{{kind}}' }],
    }),
    timeSeries({
      title: 'Age of the oldest batch by kind',
      meaning:
        'How old the oldest batch that waits is, by kind; 0 when none does. Within its kind the oldest goes first, so the line falls at once when a workspace answers.',
      action:
        'A kind that stays old while others fall has a group that fails alone, and is tried every eight minutes: look for it in `journalctl -u relay`, and at delayed in “Appliance”.',
      width: 12,
      unit: UNITS.seconds,
      queries: [{ expr: `max by (kind) (relay_cache_oldest_batch_age_seconds{${KIND}})`, legend: '{{kind}}' }],
    }),
  ];
}

function latency(): UnplacedPanel[] {
  return [
    heatmap({
      title: 'From acknowledgement to delivery',
      meaning:
        'How long each delivered batch had waited, from the agent’s 2xx until the workspace took it. A cloud at the top is a backlog after an outage; the band below is fresh data.',
      action: 'If the band itself rises without an outage, upstream is slow or limits the relay: look at its times and at 429 in “Upstream and network paths”.',
      width: 12,
      unit: UNITS.seconds,
      expr: `sum by (le) (increase(relay_delivery_latency_seconds_bucket{${KIND}}[$__rate_interval]))`,
    }),
    timeSeries({
      title: 'Delivery latency',
      meaning:
        'Half of the delivered batches, and 99 of 100, took at most this long from the acknowledgement to the workspace; and how many batches a second were delivered. No line where there was none.',
      action: 'A high median means that everything waits, a high 99th only that some does. After an outage both fall back once the backlog is gone.',
      width: 12,
      unit: UNITS.seconds,
      queries: [
        { expr: `histogram_quantile(0.5, ${LATENCY_BUCKETS})`, legend: 'median' },
        { expr: `histogram_quantile(0.99, ${LATENCY_BUCKETS})`, legend: '99 of 100' },
        {
          expr: `sum(rate(relay_delivered_batches_total{${KIND}}[$__rate_interval]))`,
          legend: 'batches a second',
          rightUnit: UNITS.operationsPerSecond,
          isDashed: true,
        },
      ],
    }),
  ];
}

function endings(): UnplacedPanel[] {
  return [
    table({
      title: 'Dropped, by kind and reason',
      meaning: 'Batches given up within the time shown, the most first. One line of 0 says that nothing was lost.',
      action: 'cache-full: room or the way out; too-old: cache.maxAge; purged and discarded: an operator. `relay losses list` has each loss with its agent.',
      width: 8,
      expr: orNone(`topk(10, sum by (kind, reason) (increase(relay_dropped_batches_total{${KIND}}[$__range])) > 0)`, 'kind', 'reason'),
      heads: { kind: 'Kind', reason: 'Reason' },
      value: { head: 'Batches', unit: UNITS.count, steps: NONE_ALLOWED, decimals: 0 },
    }),
    barGauge({
      title: 'The balance, in batches',
      meaning:
        'Where everything went since the relay’s start: recovered and received on the one side, delivered, cached, dead letters and dropped on the other.',
      action: 'Nothing, as long as the tile “Balance” says exact. The bars show at a glance how much is still on its way, and how much will never arrive.',
      width: 8,
      unit: UNITS.count,
      steps: NEUTRAL,
      queries: [{ expr: `sum by (entry) (relay_balance_batches{${KIND}})`, legend: '{{entry}}' }],
    }),
    timeSeries({
      title: 'Dead letters',
      meaning:
        'Dead letters that nobody has decided on yet, by the workspace’s answer, and the bytes they take. quarantined: nobody could make sense of the batch.',
      action: 'A step up right after a change means that the change is refused: `relay dead-letters show ID` has the answer. 413 is too large, 400 malformed.',
      width: 8,
      unit: UNITS.count,
      queries: [
        { expr: orNone(`sum by (status) (relay_dead_letters{${WORKSPACE}})`, 'status'), legend: '{{status}}' },
        { expr: `sum(relay_dead_letter_bytes{${WORKSPACE}})`, legend: 'bytes', rightUnit: UNITS.bytes, isDashed: true },
      ],
      calculations: ['lastNotNull'],
    }),
  ];
}

function rare(): UnplacedPanel[] {
  return [
    strip({
      title: 'What should be 0',
      meaning:
        'Rare events within the time shown, and what is wrong now. Losses not yet reported are told to the workspace as soon as it answers; damaged bytes were set aside at a start.',
      action:
        'Sealed by a lost key: restore it with its file, see `relay keys list`. Damaged: look at the disk. Offered again and reconnected: the relay helped itself; if it goes on, look at Redis in “Appliance”.',
      width: 24,
      figures: [
        { name: 'Dropped records', expr: `sum(increase(relay_dropped_records_total{${KIND}}[$__range]))`, steps: NONE_ALLOWED },
        { name: 'New dead-letter records', expr: `sum(increase(relay_dead_letter_records_total{${WORKSPACE}}[$__range])) or vector(0)` },
        { name: 'Losses not yet reported', expr: `sum(relay_losses_unreported_batches{${WORKSPACE}})` },
        { name: 'Sealed by a lost key', expr: `sum(relay_cache_unopenable_batches{${WORKSPACE}})`, steps: NONE_ALLOWED },
        {
          name: 'Damaged bytes',
          expr: `sum(increase(relay_cache_damaged_bytes_total{${RELAY}}[$__range])) or vector(0)`,
          steps: NONE_ALLOWED,
          unit: UNITS.bytes,
        },
        { name: 'Groups offered again', expr: `sum(increase(relay_index_stalled_groups_total{${WORKSPACE}}[$__range]))` },
        { name: 'Reconnected by watchdog', expr: `sum(increase(relay_cache_watchdog_restarts_total{${WORKSPACE}}[$__range]))` },
      ],
    }),
  ];
}
