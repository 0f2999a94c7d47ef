import type { Batch } from '../../batch/batch.ts';
import type { StreamOptions } from '../../workspace/ingestion-options.ts';

/** Where a batch's records go: a stream of the data collection rule, and the plan of its table. */
export interface Stream {
  readonly name: string;
  readonly plan: StreamOptions['plan'];
}

export type FoundStream = { readonly found: true; readonly stream: Stream } | { readonly found: false; readonly reason: string };

/** Which stream a batch's records go to. */
export type Streams = (batch: Pick<Batch, 'dataType' | 'origin'>) => FoundStream;

// Twins of the standard tables, as most of them take nothing by this API (Perf, Heartbeat, Operation and so on).
const TABLE_OF_DATA_TYPE = new Map<string, string>([
  ['linux_syslogs_blob', 'Syslog'],
  ['syslog_blob', 'Syslog'],
  ['linux_perf_blob', 'Perf'],
  ['generic_perf_blob', 'Perf'],
  ['perf_blob', 'Perf'],
  ['wlm_perf_data_blob', 'Perf'],
  ['wlm_linux_perf_data_blob', 'Perf'],
  ['insights_metrics_blob', 'InsightsMetrics'],
  ['health_assessment_blob', 'Heartbeat'],
  ['operation_blob', 'Operation'],
  ['generic_event_blob', 'Event'],
  ['security_event_blob', 'SecurityEvent'],
  ['security_cef_blob', 'CommonSecurityLog'],
  ['security_cisco_asa_blob', 'CommonSecurityLog'],
  ['security_baseline_blob', 'SecurityBaseline'],
  ['security_baseline_summary_blob', 'SecurityBaselineSummary'],
  ['linux_auditd_blob', 'LinuxAuditLog'],
  ['linux_auditd_collect_blob', 'LinuxAuditLog'],
  ['config_change_blob', 'ConfigurationChange'],
  ['linux_updates_snapshot_blob', 'Update'],
  ['updates_run_progress_blob', 'UpdateRunProgress'],
  ['protection_status_blob', 'ProtectionStatus'],
  ['network_monitoring_blob', 'NetworkMonitoring'],
  ['service_map_blob', 'ServiceMap'],
  ['linux_nagiosalerts_blob', 'Alert'],
  ['linux_zabbixalerts_blob', 'Alert'],
  ['w3c_iis_log_blob', 'W3CIISLog'],
  ['diagnostics', 'Diagnostics'],
]);

/** Makes the table: the operator's streams before ours; a Log-Type without one goes to `Custom-<Log-Type>_CL`. */
export function createStreams(given: readonly StreamOptions[]): Streams {
  const operators = new Map(given.map((one) => [one.source.toLowerCase(), one]));
  return ({ dataType, origin }) => {
    const source = dataType.toLowerCase();
    const operator = operators.get(source);
    if (operator?.stream === 'none') return parked(`${dataType} has no stream: the operator chose none. Name one in ingestion.streams to have it sent`);
    if (operator) return found(operator.stream, operator.plan);
    const table = origin.headers['log-type'] === undefined ? TABLE_OF_DATA_TYPE.get(source) : dataType.replace(/_CL$/i, '');
    if (table !== undefined) return found(`Custom-${table}_CL`, 'analytics');
    return parked(`${dataType} has no stream: name one in ingestion.streams (source: ${dataType}, stream: Custom-…_CL), and declare it in the rule`);
  };
}

function found(name: string, plan: Stream['plan']): FoundStream {
  return { found: true, stream: { name, plan } };
}

function parked(reason: string): FoundStream {
  return { found: false, reason };
}
