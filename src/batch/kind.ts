/** The six kinds of data, in the order in which a full cache drops them: the first goes first. */
export const KINDS = ['Performance', 'Metadata', 'State', 'Configuration', 'Event', 'Alert'] as const;

export type Kind = (typeof KINDS)[number];

// The sender's own names, in lower case. Data types: the record table of the OMS protocol. Solutions: the data kinds of each solution.
const KIND_OF_DATA_TYPE = new Map<string, Kind>([
  ['linux_perf_blob', 'Performance'],
  ['perf_blob', 'Performance'],
  ['wlm_perf_data_blob', 'Performance'],
  ['wlm_linux_perf_data_blob', 'Performance'],
  ['insights_metrics_blob', 'Performance'],
  ['network_monitoring_blob', 'Performance'],
  ['wlm_linux_vm_metadata_blob', 'Metadata'],
  ['wlm_auto_discover', 'Metadata'],
  ['wlm_linux_instance_data_blob', 'Metadata'],
  ['service_map_blob', 'Metadata'],
  ['health_assessment_blob', 'State'],
  ['linux_updates_snapshot_blob', 'State'],
  ['updates_run_progress_blob', 'State'],
  ['protection_status_blob', 'State'],
  ['config_change_blob', 'Configuration'],
  ['security_baseline_blob', 'Configuration'],
  ['security_baseline_summary_blob', 'Configuration'],
  ['linux_nagiosalerts_blob', 'Alert'],
  ['linux_zabbixalerts_blob', 'Alert'],
]);

const KIND_OF_SOLUTION = new Map<string, Kind>([
  ['alertmanagement', 'Alert'],
  ['infrastructureinsights', 'Performance'],
  ['vminsights', 'Performance'],
  ['changetracking', 'Configuration'],
  ['updates', 'State'],
  ['antimalware', 'State'],
]);

/** The kind of a data type. Unknown ones take their solution's kind, and are Events otherwise: kept longer than figures, never before alerts. */
export function kindOf(dataType: string, solution: string): Kind {
  return KIND_OF_DATA_TYPE.get(dataType.toLowerCase()) ?? KIND_OF_SOLUTION.get(solution.toLowerCase()) ?? 'Event';
}
