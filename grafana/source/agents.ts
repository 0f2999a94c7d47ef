import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './dashboard.ts';
import { orNone } from './or-none.ts';
import { gauge } from './panels/gauge.ts';
import type { UnplacedPanel } from './panels/panel.ts';
import { stat, strip } from './panels/stat.ts';
import { table } from './panels/table.ts';
import { timeSeries } from './panels/time-series.ts';
import { KIND, RELAY, WORKSPACE, WORKSPACE_OR_NONE } from './selectors.ts';
import { falling, NEUTRAL, NONE_ALLOWED, NONE_EXPECTED, rising } from './thresholds.ts';
import { DAY, MINUTE } from './times.ts';
import { UNITS } from './units.ts';
import { kindVariable } from './variables.ts';

const ACKNOWLEDGEMENT_BUCKETS = `sum by (le) (rate(relay_intake_acknowledgement_seconds_bucket{${RELAY}}[$__rate_interval]))`;

/** Who sends, who is silent, what is refused, and by which certificates all are known. */
export function agents(): Dashboard {
  return dashboard({
    uid: 'relay-agents',
    description: 'Who sends, who is silent, what is refused, and by which certificates all are known.',
    variables: [kindVariable()],
    panels: [...states(), ...missing(), ...intake(), ...trust(), ...senders(), ...group(), ...rare()],
  });
}

function states(): UnplacedPanel[] {
  return [
    stat({
      title: 'Approved',
      meaning: 'Agents that may send, and their course. A step down is a suspension, a removal, or a move to another relay.',
      action: 'Compare it with the machines you expect. `relay agents list` names them; `relay audit list` says who changed what.',
      expr: `sum(relay_agents{${WORKSPACE}, state="approved"})`,
      unit: UNITS.count,
      steps: NEUTRAL,
      hasTrend: true,
    }),
    stat({
      title: 'Waiting for approval',
      meaning: 'Machines that have enrolled and may not send until somebody approves them, or a rule does.',
      action: 'Run `relay agents list --state pending`, compare names and fingerprints, then `relay agents approve`. Remove what you do not know.',
      expr: `sum(relay_agents{${WORKSPACE}, state="pending"})`,
      unit: UNITS.count,
      steps: NONE_EXPECTED,
    }),
    stat({
      title: 'Suspended',
      meaning: 'Agents that an operator has shut out. They are refused at their next request and keep their data as long as their own queues allow.',
      action: 'Approve again what may send, remove what is gone: `relay agents list --state suspended`.',
      expr: `sum(relay_agents{${WORKSPACE}, state="suspended"})`,
      unit: UNITS.count,
      steps: NEUTRAL,
    }),
    stat({
      title: 'Silent',
      meaning: 'Approved agents that nothing was heard of for longer than metrics.silentAfter. Neither data nor a check-in has come.',
      action: 'The table below names those that have been silent for longest. Look at the machine first, then at the network between it and the relay.',
      expr: `sum(relay_agents_silent{${WORKSPACE}})`,
      unit: UNITS.count,
      steps: NONE_EXPECTED,
    }),
    stat({
      title: 'Without data for an hour',
      meaning: 'Approved agents from which no data came for more than an hour, though they may have checked in. What they should collect is missing.',
      action: 'Look at the agent’s own log, and whether its solutions are enabled: `relay solutions list`. Some machines simply have little to say.',
      expr: `sum(relay_agents_lagging{${WORKSPACE}, behind="1h"})`,
      unit: UNITS.count,
      steps: NONE_EXPECTED,
    }),
    gauge({
      title: 'Connections used',
      meaning: 'Open connections of agents, against intake.maxConnections. When they are used up new agents are not let in.',
      action: 'Raise `intake.maxConnections` and the limit of open files with it, or look for a machine that opens far more than its share.',
      expr: `max(relay_intake_connections{${RELAY}} / relay_intake_connections_limit{${RELAY}})`,
      steps: rising(0.7, 0.9),
    }),
  ];
}

function missing(): UnplacedPanel[] {
  return [
    table({
      title: 'Silent for longest',
      meaning: 'Approved agents by the time since they were last heard of, the longest first; as many as metrics.topAgents allows.',
      action:
        'Start with those that turn red. `relay agents show NAME` says when each solution last sent; remove a machine that is gone for good: `relay agents remove`.',
      width: 8,
      expr: `topk(15, time() - max by (agent, workspace) (relay_agent_last_seen_timestamp_seconds{${WORKSPACE}}))`,
      heads: { agent: 'Agent', workspace: 'Workspace' },
      value: { head: 'Silent for', unit: UNITS.seconds, steps: rising(15 * MINUTE, DAY), decimals: 0 },
    }),
    timeSeries({
      title: 'Agents without data',
      meaning: 'Approved agents from which no data came for longer than each line says; an agent counts in every line that it is beyond.',
      action: 'All lines rising together, one after the other, is the network or the relay; one line that stays is a handful of machines.',
      width: 8,
      unit: UNITS.count,
      queries: [{ expr: `sum by (behind) (relay_agents_lagging{${WORKSPACE}})`, legend: 'over {{behind}}' }],
      calculations: ['lastNotNull', 'max'],
    }),
    timeSeries({
      title: 'Received by kind',
      meaning: 'Batches a second that were acknowledged, by kind of data. A batch is acknowledged only once it is on stable storage.',
      action: 'A kind that falls to 0 while agents are heard of was switched off somewhere: `relay solutions list`, `relay audit list`.',
      width: 8,
      unit: UNITS.perSecond,
      isStacked: true,
      queries: [{ expr: `sum by (kind) (rate(relay_received_batches_total{${KIND}}[$__rate_interval]))`, legend: '{{kind}}' }],
      calculations: ['mean', 'lastNotNull'],
    }),
  ];
}

function intake(): UnplacedPanel[] {
  return [
    timeSeries({
      title: 'Answers to agents',
      meaning: 'Requests a second by HTTP status. 200 is data that is safe; 503 asks the agent to keep it; 403 is a machine that may not send.',
      action: 'For 503 see `relay status`, for 403 `relay agents list`. A 4xx that begins with a new version of an agent is that version’s fault.',
      width: 8,
      unit: UNITS.perSecond,
      queries: [{ expr: `sum by (code) (rate(relay_intake_requests_total{${RELAY}}[$__rate_interval]))`, legend: '{{code}}' }],
    }),
    table({
      title: 'Refused, by reason',
      meaning: 'Requests that were refused within the time shown, by the code in the answer. The README lists every code with its cause.',
      action: 'Look the code up in the README’s table of errors: each says what to do. The agent’s own log has the whole sentence.',
      width: 8,
      expr: orNone(`topk(10, sum by (reason) (increase(relay_intake_refused_total{${RELAY}}[$__range])) > 0)`, 'reason'),
      heads: { reason: 'Reason' },
      value: { head: 'Requests', unit: UNITS.count, steps: NONE_EXPECTED, decimals: 0 },
    }),
    timeSeries({
      title: 'Time to acknowledge',
      meaning: 'From the whole body to the 2xx: sealing, disk and index. Half of the batches, and 99 of 100, took at most this long.',
      action: 'Over a second the disk is too slow or busy: look at its flushes in “Appliance”. Agents wait no longer than their own time-out.',
      width: 8,
      unit: UNITS.seconds,
      steps: [
        { value: null, color: 'transparent' },
        { value: 2, color: 'red' },
      ],
      queries: [
        { expr: `histogram_quantile(0.5, ${ACKNOWLEDGEMENT_BUCKETS})`, legend: 'median' },
        { expr: `histogram_quantile(0.99, ${ACKNOWLEDGEMENT_BUCKETS})`, legend: '99 of 100' },
      ],
    }),
  ];
}

function trust(): UnplacedPanel[] {
  return [
    table({
      title: 'Certificates, by role',
      meaning:
        'When certificates end. server: what agents see; root: the one that signs now; agents: the first to end among agents that are heard of; upstream: the relay’s own at a workspace.',
      action: 'agents: theirs are renewed by themselves, so a short one belongs to a machine that cannot. root: `relay authority rotate`, months ahead.',
      width: 12,
      expr: `min by (role, workspace) (relay_certificate_expiry_timestamp_seconds{${WORKSPACE_OR_NONE}}) - time()`,
      heads: { role: 'Role', workspace: 'Workspace' },
      value: { head: 'Ends in', unit: UNITS.seconds, steps: falling(14 * DAY, 3 * DAY), decimals: 0 },
      isAscending: true,
    }),
    timeSeries({
      title: 'Enrolments',
      meaning:
        'Requests to enrol for each interval, by outcome: accepted, pending, renewed, or the reason of a refusal. Renewals come at two thirds of a certificate’s life.',
      action: 'Refusals in numbers are a wrong or spent enrolment key in somebody’s template, or a stranger: `relay audit list` has their addresses.',
      width: 12,
      unit: UNITS.count,
      hasBars: true,
      isStacked: true,
      queries: [{ expr: `sum by (outcome) (increase(relay_enrolments_total{${RELAY}}[$__rate_interval]))`, legend: '{{outcome}}' }],
      calculations: ['max'],
    }),
  ];
}

function senders(): UnplacedPanel[] {
  return [
    strip({
      title: 'Senders',
      meaning:
        'Programs without a certificate that signed in for a token, and syslog over TLS, within the time shown: what came, what waits for the cache now, connections that the relay ended for broken framing or a sender that may not send, messages that are not whole, and messages that are lost.',
      action:
        'No token: a wrong or old secret, `relay senders list`. Ended: have the sender count octets, or look at `relay agents list`. Waiting or tried again: the cache, `relay status`. Lost: the relay was stopped while the cache took nothing.',
      width: 24,
      figures: [
        { name: 'Tokens granted', expr: `sum(increase(relay_sender_sign_ins_total{${RELAY}, outcome="granted"}[$__range])) or vector(0)`, steps: NEUTRAL },
        { name: 'No token', expr: `sum(increase(relay_sender_sign_ins_total{${RELAY}, outcome!="granted"}[$__range])) or vector(0)` },
        { name: 'Syslog connections', expr: `sum(relay_syslog_connections{${RELAY}})`, steps: NEUTRAL },
        { name: 'Syslog messages', expr: `sum(increase(relay_syslog_messages_total{${RELAY}}[$__range]))`, steps: NEUTRAL },
        { name: 'Bytes that wait', expr: `sum(relay_syslog_waiting_bytes{${RELAY}})`, steps: NEUTRAL },
        { name: 'Tried again', expr: `sum(increase(relay_syslog_store_retries_total{${RELAY}}[$__range]))` },
        { name: 'Ended by the relay', expr: `sum(increase(relay_syslog_connections_ended_total{${RELAY}, reason=~"bad-frame|refused"}[$__range]))` },
        { name: 'Not whole', expr: `sum(increase(relay_syslog_truncated_messages_total{${RELAY}}[$__range]))` },
        { name: 'Lost', expr: `sum(increase(relay_syslog_lost_messages_total{${RELAY}}[$__range]))`, steps: NONE_ALLOWED },
      ],
    }),
  ];
}

function group(): UnplacedPanel[] {
  return [
    strip({
      title: 'Group of relays',
      meaning:
        'Where several relays are one group: how many say that they are its primary, how old the oldest copy of a member is, relays that do not answer the primary, and requests to enrol that were handed on within the time shown. A relay by itself shows nothing here.',
      action:
        'Run `relay group members`. An old copy or a relay that does not answer: start what is down, look at the network between the relays. Not answered: the primary was away, nobody could enrol.',
      width: 24,
      figures: [
        { name: 'Primaries', expr: `sum(relay_group_role{${RELAY}, role="primary"})`, steps: NEUTRAL },
        { name: 'Members', expr: `sum(relay_group_role{${RELAY}, role="member"})`, steps: NEUTRAL },
        { name: 'Seconds since a copy was confirmed', expr: `max(relay_group_copy_age_seconds{${RELAY}})`, steps: rising(MINUTE, 10 * MINUTE) },
        { name: 'Relays that do not answer', expr: `max(relay_group_members_unheard{${RELAY}})` },
        { name: 'Handed on, answered', expr: `sum(increase(relay_group_forwarded_total{${RELAY}, outcome="answered"}[$__range]))`, steps: NEUTRAL },
        { name: 'Handed on, not answered', expr: `sum(increase(relay_group_forwarded_total{${RELAY}, outcome="away"}[$__range]))` },
      ],
    }),
  ];
}

function rare(): UnplacedPanel[] {
  return [
    strip({
      title: 'Worth a look',
      meaning:
        'Within the time shown: batches that agents sent twice, that nobody could make sense of, or that came by the relay though marked direct; connections that ended before a request; what the audit log says; and incidents that are not closed, now.',
      action:
        'Sent twice: agents lose our answers, look at the network. Put aside: `relay dead-letters list`. Failed connections: old TLS, or a port scan. Audit not written: the disk, at once. Incidents: `relay incidents list`.',
      width: 24,
      figures: [
        { name: 'Sent twice', expr: `sum(increase(relay_intake_repeats_total{${WORKSPACE}}[$__range]))` },
        { name: 'Put aside', expr: `sum(increase(relay_intake_quarantined_total{${RELAY}}[$__range])) or vector(0)` },
        { name: 'Failed connections', expr: `sum(increase(relay_intake_connections_failed_total{${RELAY}}[$__range])) or vector(0)` },
        { name: 'Direct, by the relay', expr: `sum(increase(relay_direct_at_relay_batches_total{${WORKSPACE}}[$__range])) or vector(0)`, steps: NEUTRAL },
        { name: 'Actions refused or failed', expr: `sum(increase(relay_audit_entries_total{${RELAY}, result!="done"}[$__range]))` },
        { name: 'Audit not written', expr: `sum(increase(relay_audit_failures_total{${RELAY}}[$__range])) or vector(0)`, steps: NONE_ALLOWED },
        { name: 'Incidents open', expr: `sum(relay_incidents_open{${RELAY}, severity!="info"}) or vector(0)` },
        { name: 'Records received', expr: `sum(increase(relay_received_records_total{${KIND}}[$__range]))`, steps: NEUTRAL },
        { name: 'Batches not counted', expr: `sum(increase(relay_received_uncounted_batches_total{${WORKSPACE}}[$__range]))` },
      ],
    }),
  ];
}
