/**
 * The solutions an agent may collect, and by which way each one's data goes unless somebody says otherwise: the table of Operations Manager's
 * integration with Azure Monitor. Through the management group go assessments, heartbeats, alerts, configuration; large data goes straight.
 */
import type { Route } from '../check-in/agent-configuration.ts';

export type Platform = 'Windows' | 'Linux';

export interface Solution {
  readonly name: string;
  readonly platforms: readonly Platform[];
  readonly route: Route;
  /** True when it needs the management group: its route cannot be changed. */
  readonly isBound: boolean;
  /** How often it is collected, in milliseconds; for what is sent as it arises, how often an agent looks. */
  readonly everyMs: number;
  readonly isOnArrival: boolean;
  /** Names of its data types, in capital letters. */
  readonly dataTypes: readonly string[];
  /** Names that the protocol's senders give the solution (IPName), in small letters. */
  readonly senderNames: readonly string[];
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** How often agents look for what is sent on arrival. */
const ARRIVAL_MS = 5 * SECOND_MS;

const WINDOWS: readonly Platform[] = ['Windows'];
const LINUX: readonly Platform[] = ['Linux'];
const BOTH: readonly Platform[] = ['Windows', 'Linux'];

type Rest = Partial<Pick<Solution, 'isBound' | 'dataTypes' | 'senderNames'>>;

/** Every solution, by name. */
export const SOLUTIONS: readonly Solution[] = [
  row('AD Assessment', WINDOWS, 'relay', 7 * DAY_MS, { senderNames: ['adassessment'] }),
  row('AD Replication Status', WINDOWS, 'relay', 5 * DAY_MS, { senderNames: ['adreplication'] }),
  row('Agent Health', BOTH, 'relay', MINUTE_MS, { dataTypes: ['HEALTH_ASSESSMENT_BLOB', 'OPERATION_BLOB'], senderNames: ['agenthealthassessment'] }),
  row('Alert Management (Nagios, Zabbix)', LINUX, 'direct', 'on arrival', { dataTypes: ['LINUX_NAGIOSALERTS_BLOB', 'LINUX_ZABBIXALERTS_BLOB'] }),
  row('Alert Management (Operations Manager)', WINDOWS, 'relay', 3 * MINUTE_MS, { isBound: true, senderNames: ['alertmanagement'] }),
  row('Antimalware Assessment', WINDOWS, 'relay', HOUR_MS, { dataTypes: ['PROTECTION_STATUS_BLOB'], senderNames: ['antimalware'] }),
  row('Automation Hybrid Worker', WINDOWS, 'direct', 'on arrival', { senderNames: ['azureautomation'] }),
  row('Capacity and Performance', WINDOWS, 'relay', 'on arrival', { senderNames: ['capacityperformance'] }),
  row('Change Tracking (Linux)', LINUX, 'direct', HOUR_MS, { dataTypes: ['CONFIG_CHANGE_BLOB'], senderNames: ['changetracking'] }),
  row('Change Tracking (Windows)', WINDOWS, 'relay', HOUR_MS, { dataTypes: ['CONFIG_CHANGE_BLOB'], senderNames: ['changetracking'] }),
  row('Configuration Assessment', WINDOWS, 'relay', 12 * HOUR_MS, { isBound: true, senderNames: ['configurationassessment'] }),
  row('Containers', LINUX, 'direct', 3 * MINUTE_MS, { senderNames: ['containers', 'containerinsights'] }),
  row('DNS Analytics', WINDOWS, 'relay', 2 * DAY_MS, { senderNames: ['dnsanalytics'] }),
  row('IIS logs', WINDOWS, 'direct', 5 * MINUTE_MS),
  row('Network Performance Monitor', WINDOWS, 'direct', 3 * MINUTE_MS, { dataTypes: ['NETWORK_MONITORING_BLOB'], senderNames: ['networkmonitoring'] }),
  row('Operations Manager Assessment', WINDOWS, 'relay', 7 * DAY_MS, { senderNames: ['scomassessment'] }),
  row('Performance counters', BOTH, 'direct', MINUTE_MS, {
    dataTypes: ['LINUX_PERF_BLOB', 'PERF_BLOB', 'INSIGHTS_METRICS_BLOB', 'WLM_PERF_DATA_BLOB', 'WLM_LINUX_PERF_DATA_BLOB'],
    senderNames: ['vminsights'],
  }),
  row('Security and Audit', BOTH, 'direct', 'on arrival', {
    dataTypes: ['SECURITY_CEF_BLOB', 'SECURITY_CISCO_ASA_BLOB', 'SECURITY_BASELINE_BLOB', 'SECURITY_BASELINE_SUMMARY_BLOB', 'LINUX_AUDITD_BLOB'],
    senderNames: ['security'],
  }),
  row('Service Map', BOTH, 'direct', 15 * SECOND_MS, { dataTypes: ['SERVICE_MAP_BLOB'], senderNames: ['servicemap'] }),
  row('SQL Assessment', WINDOWS, 'relay', 7 * DAY_MS, { senderNames: ['sqlassessment'] }),
  row('Syslog, custom logs', BOTH, 'direct', 'on arrival', { dataTypes: ['LINUX_SYSLOGS_BLOB'], senderNames: ['customlog'] }),
  row('Update Management', WINDOWS, 'relay', 12 * HOUR_MS, {
    dataTypes: ['LINUX_UPDATES_SNAPSHOT_BLOB', 'UPDATES_RUN_PROGRESS_BLOB'],
    senderNames: ['updates'],
  }),
  row('Windows event logs', WINDOWS, 'relay', 'on arrival'),
  row('Windows firewall logs', WINDOWS, 'direct', 'on arrival'),
  row('Windows security event logs', WINDOWS, 'direct', 'on arrival'),
  row('Wire Data', WINDOWS, 'direct', MINUTE_MS, { senderNames: ['wiredata', 'wiredata2'] }),
];

function row(name: string, platforms: readonly Platform[], route: Route, often: number | 'on arrival', rest: Rest = {}): Solution {
  const isOnArrival = often === 'on arrival';
  return { name, platforms, route, everyMs: isOnArrival ? ARRIVAL_MS : often, isOnArrival, isBound: false, dataTypes: [], senderNames: [], ...rest };
}

const BY_NAME = new Map(SOLUTIONS.map((solution) => [solution.name.toLowerCase(), solution]));

/** A solution by its name, in whatever case. */
export function findSolution(name: string): Solution | undefined {
  return BY_NAME.get(name.trim().toLowerCase());
}

/** The platform of a machine, by what it says of its operating system. */
export function platformOf(operatingSystem: string): Platform {
  return /windows/i.test(operatingSystem) ? 'Windows' : 'Linux';
}

/** The solutions that a batch may belong to, by its own names; more than one where platforms differ. None: nobody knows it. */
export function solutionsOf(dataType: string, senderName: string): readonly Solution[] {
  const ofType = SOLUTIONS.filter(({ dataTypes }) => dataTypes.includes(dataType.toUpperCase()));
  return ofType.length > 0 ? ofType : SOLUTIONS.filter(({ senderNames }) => senderNames.includes(senderName.toLowerCase()));
}
