import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './dashboard.ts';
import { ALL_ANSWER, WORKSPACE_STATE, YES_OR_NO } from './mappings.ts';
import { gauge } from './panels/gauge.ts';
import type { UnplacedPanel } from './panels/panel.ts';
import { stat } from './panels/stat.ts';
import { stateTimeline } from './panels/state-timeline.ts';
import { timeSeries } from './panels/time-series.ts';
import { KIND, RELAY, WORKSPACE, WORKSPACE_OR_NONE } from './selectors.ts';
import { falling, NONE_ALLOWED, NONE_EXPECTED, rising, YES_EXPECTED } from './thresholds.ts';
import { DAY, HOUR, MINUTE } from './times.ts';
import { UNITS } from './units.ts';
import { kindVariable } from './variables.ts';
import { RETRY_WINDOW_QUERY, WORKSPACE_STATE_QUERY } from './workspace-state.ts';

/** Is all well, where is data waiting, what leaves, and how old is it. */
export function overview(): Dashboard {
  return dashboard({
    uid: 'relay-overview',
    description: 'Is all well, where is data waiting, what leaves, and how old is it. All tiles green: nothing to do.',
    variables: [kindVariable()],
    panels: [...urgent(), ...soon(), ...course()],
  });
}

function urgent(): UnplacedPanel[] {
  return [
    stat({
      title: 'Takes data',
      meaning: 'Whether every chosen relay answers Prometheus and would take a batch now. A relay that does not answer counts as one that takes nothing.',
      action:
        'Run `relay status` on the machine, which says why it is not ready. If it does not answer: `systemctl status relay`, `journalctl -u relay -n 100`.',
      expr: `min(up{job="relay", ${RELAY}}) * (min(relay_ready{${RELAY}}) or vector(0))`,
      unit: UNITS.none,
      mappings: YES_OR_NO,
      steps: YES_EXPECTED,
      noValue: 'not scraped',
    }),
    stat({
      title: 'Alerts',
      meaning: 'Alerts of the relays that fire now, of every severity. Each has its summary and the next step in Alertmanager.',
      action: 'Open the alert in Alertmanager and follow the link to the runbook. The red marks in the graphs below show when it began.',
      expr: `count(ALERTS{alertname=~"Relay.*", alertstate="firing", ${RELAY}}) or vector(0)`,
      unit: UNITS.count,
      steps: NONE_ALLOWED,
    }),
    stat({
      title: 'Workspaces out of reach',
      meaning: 'How many workspaces do not answer now. Their data waits in the cache and is tried every eight minutes.',
      action: 'Open “Upstream and network paths” to see which, then run `relay doctor --workspace NAME`, which finds DNS, proxy, TLS and sign-in faults.',
      expr: `count(relay_upstream_up{${WORKSPACE}} == 0) or vector(0)`,
      unit: UNITS.count,
      steps: NONE_ALLOWED,
    }),
    stat({
      title: 'Retry window left',
      meaning: 'The least that any workspace that is away has left of its retry window. At 0 its data is held: still cached, and still tried.',
      action:
        'Mend the way out before it ends: agents with a queue of their own are asked to wait from then on. Nothing is lost at 0, but room in the cache now counts.',
      expr: RETRY_WINDOW_QUERY,
      unit: UNITS.seconds,
      decimals: 0,
      mappings: ALL_ANSWER,
      steps: falling(HOUR, HOUR / 2),
    }),
    stat({
      title: 'Oldest due data',
      meaning: 'For how long the oldest batch that may be sent now could have been. Data of a workspace that is away does not count, so it should be near 0.',
      action:
        'If it grows while workspaces answer, the relay is too slow or stuck: look at consumer progress in “Cache and delivery”, then at `relay cache status`.',
      expr: `max(relay_cache_oldest_due_age_seconds{${WORKSPACE}})`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: rising(2 * MINUTE, 10 * MINUTE),
    }),
    stat({
      title: 'Dropped in this time range',
      meaning: 'Batches that were given up for good within the time shown. Every one is in the loss ledger, and the workspace is told of it.',
      action: 'Run `relay losses list`, which says whose, what, why and from when to when. “Cache and delivery” shows kind and reason.',
      expr: `sum(increase(relay_dropped_batches_total{${KIND}}[$__range]))`,
      unit: UNITS.count,
      decimals: 0,
      steps: NONE_ALLOWED,
    }),
  ];
}

function soon(): UnplacedPanel[] {
  return [
    gauge({
      title: 'Cache used',
      meaning: 'How full the fullest cache is: stored groups and dead letters, against cache.limit. A full cache drops the least important kind first.',
      action: 'Mend the workspace whose data piles up (graph below). If the disk has room raise `cache.limit`; if not, enlarge the disk.',
      expr: `max(relay_cache_used_bytes{${RELAY}} / relay_cache_limit_bytes{${RELAY}})`,
      steps: rising(0.7, 0.9),
    }),
    stat({
      title: 'Acknowledged within',
      meaning: 'How long 99 of 100 batches took from the whole body to the 2xx: sealing, disk and index. 0 while nothing comes in.',
      action: 'A healthy disk acknowledges within 50 ms. Over a second look at the disk’s flushes and at Redis in “Appliance”.',
      expr: `(histogram_quantile(0.99, sum by (le) (rate(relay_intake_acknowledgement_seconds_bucket{${RELAY}}[$__rate_interval]))) >= 0) or vector(0)`,
      unit: UNITS.seconds,
      steps: rising(1, 2),
    }),
    stat({
      title: 'Dead letters',
      meaning: 'Records and batches that a workspace refused for their content, and that nobody has sent again or discarded yet.',
      action: 'Run `relay dead-letters list` to see why they were refused. Mend the cause, then `relay dead-letters replay`, or discard them.',
      expr: `sum(relay_dead_letters{${WORKSPACE}}) or vector(0)`,
      unit: UNITS.count,
      steps: NONE_EXPECTED,
    }),
    stat({
      title: 'Silent agents',
      meaning:
        'Approved agents that nothing was heard of for longer than metrics.silentAfter. Their data is missing in the workspace, and nobody there can see that.',
      action: 'Open “Agents”, or run `relay agents list --silent-for 15m`. Many at once: look at the network between them and the relay.',
      expr: `sum(relay_agents_silent{${WORKSPACE}})`,
      unit: UNITS.count,
      steps: NONE_EXPECTED,
    }),
    stat({
      title: 'Turned away',
      meaning:
        'Requests that were answered with 503 within the time shown, because there was no room, or disk or Redis did not take the data. Agents that are asked to wait for a held workspace do not count.',
      action: 'Run `relay status`, which says whether cache, disk or Redis is in the way. “Agents” shows the reasons.',
      expr: `sum(increase(relay_intake_refused_total{${RELAY}, reason=~"relay.cache.(full|unavailable)"}[$__range])) or vector(0)`,
      unit: UNITS.count,
      decimals: 0,
      steps: NONE_EXPECTED,
    }),
    stat({
      title: 'Next certificate ends in',
      meaning:
        'Time until the first certificate ends, of all that the relay uses or agents show. The relay and its agents renew theirs by themselves at two thirds of their life.',
      action:
        'Open “Agents”, which lists them by role. One that ends soon could not be renewed: look at that machine. A new root is made by `relay authority rotate`.',
      expr: `min(relay_certificate_expiry_timestamp_seconds{${WORKSPACE_OR_NONE}}) - time()`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: falling(14 * DAY, 3 * DAY),
    }),
  ];
}

function course(): UnplacedPanel[] {
  return [
    timeSeries({
      title: 'What comes in and what leaves',
      meaning:
        'Bytes a second, as they came over the wire. While a workspace is away the lines part; afterwards more leaves than comes in, until the backlog is gone.',
      action:
        'If less leaves than comes in while every workspace answers, the way out is too narrow: look at the answers and times in “Upstream and network paths”.',
      width: 12,
      unit: UNITS.bytesPerSecond,
      queries: [
        { expr: `sum(rate(relay_received_bytes_total{${KIND}}[$__rate_interval]))`, legend: 'received' },
        { expr: `sum(rate(relay_delivered_bytes_total{${KIND}}[$__rate_interval]))`, legend: 'delivered' },
        { expr: `sum(rate(relay_dropped_bytes_total{${KIND}}[$__rate_interval]))`, legend: 'dropped' },
      ],
      calculations: ['mean', 'max', 'lastNotNull'],
    }),
    timeSeries({
      title: 'Where data waits',
      meaning: 'Bytes in the cache by workspace. A hill is an outage: it grows while the workspace is away and drains when it answers.',
      action: 'A hill without an outage means that data fails or that sending is too slow: run `relay cache status`. Orange marks show the outages.',
      width: 12,
      unit: UNITS.bytes,
      isStacked: true,
      queries: [{ expr: `sum by (workspace) (relay_cache_bytes{${KIND}})`, legend: '{{workspace}}' }],
    }),
    stateTimeline({
      title: 'Workspaces',
      meaning: 'Each workspace over time: in reach, out of reach, held (out of reach for longer than the retry window), or paused by an operator.',
      action: 'For one that is out of reach run `relay doctor --workspace NAME`. One that is paused takes nothing until `relay cache resume --workspace NAME`.',
      width: 12,
      query: { expr: WORKSPACE_STATE_QUERY, legend: '{{workspace}}' },
      mappings: WORKSPACE_STATE,
    }),
    timeSeries({
      title: 'How old the oldest batch is',
      meaning: 'Age of the oldest batch that waits, by workspace; 0 when none does. In an outage it grows by an hour an hour.',
      action: 'Compare it with the agents’ own queues and with cache.maxAge, after which data is dropped as too old. Mend the way out before that.',
      width: 12,
      unit: UNITS.seconds,
      queries: [{ expr: `max by (workspace) (relay_cache_oldest_batch_age_seconds{${KIND}})`, legend: '{{workspace}}' }],
    }),
  ];
}
