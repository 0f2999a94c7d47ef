import type { Kind } from './kind.ts';

/** What is known of a data type: its kind, and the table of Azure Monitor Logs that its records belong to, where there is one. */
export interface DataType {
  readonly name: string;
  readonly kind: Kind;
  /** Data collection rules mostly take a twin of it (`Custom-<table>_CL`), as few standard tables take anything by the Logs Ingestion API. */
  readonly table: string | undefined;
}

// The one table of data types, in the order of the kinds. Log-Types and streams have the kind of the table that they are named after.
const ROWS: readonly (readonly [name: string, kind: Kind, table?: string])[] = [
  ['LINUX_PERF_BLOB', 'Performance', 'Perf'],
  ['GENERIC_PERF_BLOB', 'Performance', 'Perf'],
  ['PERF_BLOB', 'Performance', 'Perf'],
  ['WLM_PERF_DATA_BLOB', 'Performance', 'Perf'],
  ['WLM_LINUX_PERF_DATA_BLOB', 'Performance', 'Perf'],
  ['INSIGHTS_METRICS_BLOB', 'Performance', 'InsightsMetrics'],
  ['NETWORK_MONITORING_BLOB', 'Performance', 'NetworkMonitoring'],
  ['WLM_LINUX_VM_METADATA_BLOB', 'Metadata'],
  ['WLM_AUTO_DISCOVER', 'Metadata'],
  ['WLM_LINUX_INSTANCE_DATA_BLOB', 'Metadata'],
  ['SERVICE_MAP_BLOB', 'Metadata', 'ServiceMap'],
  ['HEALTH_ASSESSMENT_BLOB', 'State', 'Heartbeat'],
  ['LINUX_UPDATES_SNAPSHOT_BLOB', 'State', 'Update'],
  ['UPDATES_RUN_PROGRESS_BLOB', 'State', 'UpdateRunProgress'],
  ['PROTECTION_STATUS_BLOB', 'State', 'ProtectionStatus'],
  ['CONFIG_CHANGE_BLOB', 'Configuration', 'ConfigurationChange'],
  ['SECURITY_BASELINE_BLOB', 'Configuration', 'SecurityBaseline'],
  ['SECURITY_BASELINE_SUMMARY_BLOB', 'Configuration', 'SecurityBaselineSummary'],
  ['LINUX_SYSLOGS_BLOB', 'Event', 'Syslog'],
  ['SYSLOG_BLOB', 'Event', 'Syslog'],
  ['OPERATION_BLOB', 'Event', 'Operation'],
  ['GENERIC_EVENT_BLOB', 'Event', 'Event'],
  ['SECURITY_EVENT_BLOB', 'Event', 'SecurityEvent'],
  ['SECURITY_CEF_BLOB', 'Event', 'CommonSecurityLog'],
  ['SECURITY_CISCO_ASA_BLOB', 'Event', 'CommonSecurityLog'],
  ['LINUX_AUDITD_BLOB', 'Event', 'LinuxAuditLog'],
  ['LINUX_AUDITD_COLLECT_BLOB', 'Event', 'LinuxAuditLog'],
  ['W3C_IIS_LOG_BLOB', 'Event', 'W3CIISLog'],
  ['DIAGNOSTICS', 'Event', 'Diagnostics'],
  ['OTEL_LOGS', 'Event', 'OTelLogs'],
  ['LINUX_NAGIOSALERTS_BLOB', 'Alert', 'Alert'],
  ['LINUX_ZABBIXALERTS_BLOB', 'Alert', 'Alert'],
];

/** All that are known, in the order of their kinds. */
export const DATA_TYPES: readonly DataType[] = ROWS.map(([name, kind, table]) => ({ name, kind, table }));

const BY_NAME = new Map(DATA_TYPES.map((one) => [one.name.toLowerCase(), one]));
const BY_TABLE = new Map(DATA_TYPES.flatMap((one) => (one.table === undefined ? [] : [[one.table.toLowerCase(), one] as const])));

/** A data type by the sender's name for it, without regard to case. */
export function dataTypeNamed(name: string): DataType | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** The data type behind a table, or behind a Log-Type or stream named after one. */
export function dataTypeOfTable(table: string): DataType | undefined {
  return BY_TABLE.get(table.toLowerCase().replace(/_cl$/, ''));
}
