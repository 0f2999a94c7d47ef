import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './dashboard.ts';
import { ALL_ANSWER, VERIFIED_OR_REFUSED, WORKSPACE_STATE } from './mappings.ts';
import { orNone } from './or-none.ts';
import type { UnplacedPanel } from './panels/panel.ts';
import { stat, strip } from './panels/stat.ts';
import { stateTimeline } from './panels/state-timeline.ts';
import { table } from './panels/table.ts';
import { timeSeries } from './panels/time-series.ts';
import { RELAY, WORKSPACE } from './selectors.ts';
import { falling, NEUTRAL, NONE_ALLOWED, NONE_EXPECTED, rising } from './thresholds.ts';
import { HOUR, MINUTE } from './times.ts';
import { UNITS } from './units.ts';
import { NEXT_TRY_QUERY, RETRY_WINDOW_QUERY, WORKSPACE_STATE_QUERY } from './workspace-state.ts';

/** The workspaces, the roads to them, and what they answer. */
export function upstreamAndPaths(): Dashboard {
  return dashboard({
    uid: 'relay-upstream',
    description: 'The workspaces, the network paths to them, what they answer, and how the relay signs in.',
    panels: [...now(), ...courses(), ...roads(), ...answers(), ...rare()],
  });
}

function now(): UnplacedPanel[] {
  return [
    stat({
      title: 'Out of reach',
      meaning: 'How many workspaces do not answer now. Their queues rest, and one group of each is tried every eight minutes.',
      action: 'Run `relay doctor --workspace NAME`: it walks the road step by step and stops at the first that is wrong.',
      expr: `count(relay_upstream_up{${WORKSPACE}} == 0) or vector(0)`,
      unit: UNITS.count,
      steps: NONE_ALLOWED,
    }),
    stat({
      title: 'Longest outage now',
      meaning: 'For how long the workspace that has been away for longest has not been reached; 0 while all answer.',
      action: 'Under 16 minutes it may be a hiccup: two tries. After that act. The marks on the graphs show what else happened when it began.',
      expr: `max(relay_upstream_outage_seconds{${WORKSPACE}})`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: rising(1, 16 * MINUTE),
    }),
    stat({
      title: 'Next try in',
      meaning: 'Time until the next try of a workspace that is away; below 0 a try is overdue. It reads “all answer” while there is none to be tried.',
      action: 'When the fault is mended, do not wait: `relay cache retry-now --workspace NAME` tries at once.',
      expr: NEXT_TRY_QUERY,
      unit: UNITS.seconds,
      decimals: 0,
      mappings: ALL_ANSWER,
      steps: NEUTRAL,
    }),
    stat({
      title: 'Retry window left',
      meaning: 'The least that any workspace that is away has left of its retry window. After it data is held: it stays cached, and is tried on.',
      action: 'Mend the way out before it ends. At 0 senders with a queue of their own are asked to wait, and the room in the cache is what counts.',
      expr: RETRY_WINDOW_QUERY,
      unit: UNITS.seconds,
      decimals: 0,
      mappings: ALL_ANSWER,
      steps: falling(HOUR, HOUR / 2),
    }),
    stat({
      title: 'Sign-in failing',
      meaning: 'Workspaces for which the last try to get a token failed. Data goes on as long as the token at hand lasts, an hour at most.',
      action: 'Run `relay doctor --workspace NAME`, which gives the service’s code. Most often the secret or the certificate has ended: see the table below.',
      expr: `sum(relay_upstream_sign_in_failing{${WORKSPACE}}) or vector(0)`,
      unit: UNITS.count,
      steps: NONE_ALLOWED,
    }),
    stat({
      title: 'Clock, furthest off',
      meaning: 'How far the relay’s clock is from a workspace’s, by the date of its last answer, to the second.',
      action: 'Beyond two minutes mend the time service of this machine (`timedatectl`, `chronyc tracking`): from five on signing in fails.',
      expr: `max(abs(relay_upstream_clock_offset_seconds{${WORKSPACE}}))`,
      unit: UNITS.seconds,
      decimals: 0,
      steps: rising(30, 2 * MINUTE),
      noValue: 'no answer yet',
    }),
  ];
}

function courses(): UnplacedPanel[] {
  return [
    stateTimeline({
      title: 'Workspaces',
      meaning: 'Each workspace over time: in reach, out of reach, held (out of reach for longer than the retry window), or paused by an operator.',
      action: 'Several that fail together share a cause: proxy, DNS, the line, the clock. One alone is its own address, credential or certificate.',
      width: 12,
      height: 7,
      query: { expr: WORKSPACE_STATE_QUERY, legend: '{{workspace}}' },
      mappings: WORKSPACE_STATE,
    }),
    stateTimeline({
      title: 'Network paths',
      meaning:
        'Whether the last connection by each path passed every check: private address, expected peer, right interface and source, proxy. Refused means that nothing was sent by the wrong road.',
      action: 'Refused: the table below has the reason, and `relay doctor` the addresses. Mend route, DNS or proxy; never loosen the path to make it green.',
      width: 12,
      height: 7,
      query: { expr: `relay_upstream_path_up{${WORKSPACE}}`, legend: '{{workspace}}: {{path}} by {{kind}}' },
      mappings: VERIFIED_OR_REFUSED,
    }),
  ];
}

function roads(): UnplacedPanel[] {
  return [
    table({
      title: 'Paths last verified',
      meaning: 'How long ago a connection last passed every check of its network path. Connections are kept, so hours are well while data flows.',
      action: 'Compare it with the path’s state above: long ago and refused is a road that changed. `relay status` shows what was expected of it.',
      width: 8,
      height: 7,
      expr: `(time() - max by (instance, workspace, path) (relay_upstream_path_verified_timestamp_seconds{${WORKSPACE}})) * on (instance, workspace) group_left (protocol) relay_workspace_info{${RELAY}}`,
      heads: { instance: 'Relay', workspace: 'Workspace', path: 'Path', protocol: 'Protocol' },
      value: { head: 'Verified ago', unit: UNITS.seconds, steps: NEUTRAL, decimals: 0 },
    }),
    table({
      title: 'Refused by a network path',
      meaning:
        'Connections that were not made within the time shown, because they would have left by another road; the most first. One line of 0 says that there was none.',
      action: 'not-private is DNS, other-route and other-source the routing table, not-a-peer a changed address upstream, proxy-… what the proxy said.',
      width: 8,
      height: 7,
      expr: orNone(
        `topk(8, sum by (workspace, path, reason) (increase(relay_upstream_path_refused_total{${WORKSPACE}}[$__range])) > 0)`,
        'workspace',
        'path',
        'reason',
      ),
      heads: { workspace: 'Workspace', path: 'Path', reason: 'Reason' },
      value: { head: 'Connections', unit: UNITS.count, steps: NONE_EXPECTED, decimals: 0 },
    }),
    table({
      title: 'Signing in: what ends when',
      meaning: 'Time until what the relay signs in with ends: its certificate at a workspace, the token (renewed by itself), and the credential behind it.',
      action:
        'A credential is renewed by you: put the new secret or certificate in its place, and the relay takes it without a restart. A token that nears 0 is a failing sign-in.',
      width: 8,
      height: 7,
      expr: `label_replace(min by (workspace) (relay_certificate_expiry_timestamp_seconds{${WORKSPACE}, role="upstream"}), "of", "certificate", "", "") - time() or min by (workspace, of) (relay_upstream_sign_in_expiry_timestamp_seconds{${WORKSPACE}}) - time()`,
      heads: { workspace: 'Workspace', of: 'What' },
      value: { head: 'Ends in', unit: UNITS.seconds, steps: falling(30 * MINUTE, 5 * MINUTE), decimals: 0 },
      isAscending: true,
    }),
  ];
}

function answers(): UnplacedPanel[] {
  return [
    timeSeries({
      title: 'Answers of the workspaces',
      meaning:
        'Requests with data a second, by HTTP status; none: there was no answer. A request without an answer may have been taken, so its batches may come twice.',
      action: '401 and 403: credential or rule. 429: the workspace limits the relay, which waits as asked. 400 and 413: look at dead letters. 5xx: wait.',
      width: 8,
      unit: UNITS.perSecond,
      queries: [{ expr: `sum by (code) (rate(relay_upstream_responses_total{${WORKSPACE}}[$__rate_interval]))`, legend: '{{code}}' }],
    }),
    timeSeries({
      title: 'Time to answer',
      meaning: 'How long each workspace took to answer, for 95 of 100 requests. A whole outage shows as time-outs, then as a gap.',
      action: 'Over a few seconds the line or the workspace is slow. `upstream.maxRate` lowers what the relay asks of a narrow line.',
      width: 8,
      unit: UNITS.seconds,
      queries: [
        {
          expr: `histogram_quantile(0.95, sum by (le, workspace) (rate(relay_upstream_request_seconds_bucket{${WORKSPACE}}[$__rate_interval])))`,
          legend: '{{workspace}}',
        },
      ],
    }),
    timeSeries({
      title: 'Tunnel',
      meaning: 'Bytes a second through the CONNECT gateway, for agents whose data goes straight: up to the host, down from it; and how many tunnels stand.',
      action: 'All at 0 where no agent uses it. Refusals stand in the strip below: a host that is not on the list, or a client that may not.',
      width: 8,
      unit: UNITS.bytesPerSecond,
      queries: [
        { expr: `sum by (direction) (rate(relay_tunnel_bytes_total{${RELAY}}[$__rate_interval]))`, legend: '{{direction}}' },
        { expr: `sum(relay_tunnel_open{${RELAY}})`, legend: 'open', rightUnit: UNITS.count, isDashed: true },
      ],
    }),
  ];
}

function rare(): UnplacedPanel[] {
  return [
    strip({
      title: 'In this time range',
      meaning:
        'What the workspaces took or refused, in batches; requests that were made to find bad records; for the Logs Ingestion API how full its requests were, what failed, and how many records it took; and the tunnels.',
      action:
        'Refused and split: see dead letters in “Cache and delivery”. Requests far from full are well while little comes in. Broken tunnels: the network; refused ones: `relay audit list`.',
      width: 24,
      figures: [
        { name: 'Batches to try again', expr: attempts('retry') },
        { name: 'Batches refused', expr: attempts('refused') },
        { name: 'Batches split', expr: attempts('split') },
        { name: 'Search requests', expr: `sum(increase(relay_upstream_parts_total{${WORKSPACE}}[$__range]))` },
        { name: 'Ingestion failed', expr: `sum(increase(relay_upstream_ingestion_requests_total{${WORKSPACE}, outcome!="delivered"}[$__range])) or vector(0)` },
        {
          name: 'Ingestion fill',
          expr: `sum(increase(relay_upstream_ingestion_fill_ratio_sum{${WORKSPACE}}[$__range])) / (sum(increase(relay_upstream_ingestion_fill_ratio_count{${WORKSPACE}}[$__range])) > 0) or vector(0)`,
          steps: NEUTRAL,
          unit: UNITS.ratio,
        },
        { name: 'Ingestion records', expr: `sum(increase(relay_delivered_records_total{${WORKSPACE}}[$__range])) or vector(0)`, steps: NEUTRAL },
        { name: 'Tunnels refused', expr: `sum(increase(relay_tunnel_connections_total{${RELAY}, outcome!="opened"}[$__range])) or vector(0)` },
        { name: 'Tunnels broken', expr: `sum(increase(relay_tunnel_closed_total{${RELAY}, reason="broken"}[$__range])) or vector(0)` },
      ],
    }),
  ];
}

function attempts(outcome: string): string {
  return `sum(increase(relay_upstream_attempts_total{${WORKSPACE}, outcome="${outcome}"}[$__range]))`;
}
