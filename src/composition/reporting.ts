import type { Audit } from '../audit/audit.ts';
import type { AuditEvent } from '../audit/entry.ts';
import type { Loss, LossReason } from '../cache/loss.ts';
import { messageOf } from '../errors.ts';
import { IN_MEMORY } from '../incidents/database.ts';
import type { IncidentEvent } from '../incidents/event.ts';
import type { Severity } from '../incidents/incident.ts';
import { type Incidents, openIncidents } from '../incidents/incidents.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Building } from './building.ts';
import type { Trust } from './trust.ts';

/** Incidents of the relay, and the parts that report them without knowing of it. */
export interface Reporting {
  readonly incidents: Incidents;
  /** The building, of whose counted refusals the ones that matter are reported. */
  readonly building: Building;
  /** The trust, of whose audit log the refusals that matter are reported. */
  readonly trust: Trust;
  /** To be told of every loss once it is entered. */
  readonly lost: (loss: Loss) => void;
}

/** Opens the record of incidents. After the management group's file: a second relay with the same folder cannot lock that one, and ends there. */
export function openReporting(building: Building, trust: Trust): Reporting {
  const { metrics, defer } = building;
  const incidents = openRecord(building);
  defer((deadlineMs) => incidents.close(deadlineMs));
  metrics.beforeScrape(() => {
    for (const [severity, open] of Object.entries(incidents.openBySeverity())) metrics.set('incidentsOpen', { severity }, open);
  });
  const report = (event: IncidentEvent | undefined): void => {
    if (event) incidents.report(event);
  };
  return {
    incidents,
    building: { ...building, metrics: watchedMetrics(metrics, (reason, by) => report(eventOfRefusal(reason, by))) },
    trust: { ...trust, audit: watchedAudit(trust.audit, (event) => report(eventOfAudit(event))) },
    lost: (loss) => incidents.report(eventOfLoss(loss)),
  };
}

// Data is taken whatever becomes of this record; people are told all the same.
function openRecord({ configuration, clock, random, component, inData }: Building): Incidents {
  const log = component('incidents');
  const parts = { settings: configuration.incidents, site: configuration.domain, clock, random, log };
  try {
    return openIncidents({ ...parts, path: inData('incidents.sqlite') });
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'the record of incidents cannot be used; until the next start incidents are kept in memory alone');
    return openIncidents({ ...parts, path: IN_MEMORY });
  }
}

function watchedMetrics(metrics: Metrics, onRefused: (reason: string, by: number) => void): Metrics {
  return {
    ...metrics,
    count(name, labels, by = 1) {
      metrics.count(name, labels, by);
      // Counters are begun at 0.
      if (name === 'refused' && by > 0) onRefused((labels as { readonly reason: string }).reason, by);
    },
  };
}

// In front of the log, which adds up what is refused again and again.
function watchedAudit(audit: Audit, onEvent: (event: AuditEvent) => void): Audit {
  return {
    ...audit,
    enter(event) {
      audit.enter(event);
      onEvent(event);
    },
  };
}

const CERTIFICATE_REFUSALS = ['relay.agent.unknown-certificate', 'relay.agent.certificate-expired', 'relay.agent.certificate-replaced'];
const TOKEN_REFUSALS = ['relay.sender.bad-credentials', 'relay.sender.bad-token', 'relay.sender.bad-signature'];

/** The event of a request that was refused for this reason so many times; undefined when one more or less does not matter. */
export function eventOfRefusal(reason: string, count: number): IncidentEvent | undefined {
  const detail = `Refused at the intake, the last for ${reason}. The relay's log has the addresses.`;
  if (CERTIFICATE_REFUSALS.includes(reason)) return { source: 'relay', kind: 'certificates-refused', subject: 'agents', detail, count };
  if (TOKEN_REFUSALS.includes(reason)) return { source: 'relay', kind: 'bad-tokens', subject: 'senders', detail, count };
  return undefined;
}

/** The event of an entry of the audit log; undefined when it is nothing that matters. What the intake counts itself is not counted here again. */
export function eventOfAudit({ action, on, from, result, detail = 'refused' }: AuditEvent): IncidentEvent | undefined {
  if (result !== 'refused') return undefined;
  const last = `the last from ${from} (${detail})`;
  if (action === 'agent.renew')
    return { source: 'relay', kind: 'certificates-refused', subject: 'renewals', detail: `Renewals of certificates were refused, ${last}.` };
  if (action === 'sign-in.fail') return { source: 'relay', kind: 'bad-tokens', subject: 'enrolments and sign-ins', detail: `Refused at ${on}, ${last}.` };
  return undefined;
}

const SEVERITY_OF_LOSS: Readonly<Record<LossReason, Severity>> = {
  'cache-full': 'error',
  'too-old': 'error',
  unreadable: 'error',
  'dead-letters-full': 'error',
  'no-room-for-copy': 'warn',
  // What an operator gave up is on record, and told to nobody.
  purged: 'info',
  discarded: 'info',
};

/** The event of a loss: one incident for each workspace and kind of data, counted in batches. */
export function eventOfLoss({ workspaceId, kind, reason, batches }: Loss): IncidentEvent {
  const detail = `Data of the kind ${kind} was given up, in batches, the last for ${reason}. See: relay losses list`;
  return { source: `workspace ${workspaceId}`, kind: 'data-lost', subject: kind, severity: SEVERITY_OF_LOSS[reason], count: batches, detail };
}
