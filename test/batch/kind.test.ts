import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { KINDS, type Kind, kindOf } from '../../src/batch/kind.ts';
import { readCapture } from '../support/oms-captures.ts';

describe('KINDS', () => {
  it('are in the order in which a full cache drops them', () => {
    assert.deepEqual(KINDS, ['Performance', 'Metadata', 'State', 'Configuration', 'Event', 'Alert']);
  });
});

describe('kindOf', () => {
  const cases: readonly (readonly [dataType: string, solution: string, kind: Kind])[] = [
    ['LINUX_PERF_BLOB', 'LogManagement', 'Performance'],
    ['INSIGHTS_METRICS_BLOB', 'VMInsights', 'Performance'],
    ['NETWORK_MONITORING_BLOB', 'NetworkMonitoring', 'Performance'],
    ['WLM_PERF_DATA_BLOB', 'InfrastructureInsights', 'Performance'],
    ['WLM_LINUX_PERF_DATA_BLOB', 'InfrastructureInsights', 'Performance'],
    ['WLM_LINUX_VM_METADATA_BLOB', 'InfrastructureInsights', 'Metadata'],
    ['WLM_LINUX_INSTANCE_DATA_BLOB', 'InfrastructureInsights', 'Metadata'],
    ['WLM_AUTO_DISCOVER', 'INFRASTRUCTUREINSIGHTS', 'Metadata'],
    ['HEALTH_ASSESSMENT_BLOB', 'LogManagement', 'State'],
    ['LINUX_UPDATES_SNAPSHOT_BLOB', 'Updates', 'State'],
    ['UPDATES_RUN_PROGRESS_BLOB', 'Updates', 'State'],
    ['PROTECTION_STATUS_BLOB', 'Antimalware', 'State'],
    ['CONFIG_CHANGE_BLOB', 'changetracking', 'Configuration'],
    ['SECURITY_BASELINE_BLOB', 'Security', 'Configuration'],
    ['SECURITY_BASELINE_SUMMARY_BLOB', 'Security', 'Configuration'],
    ['LINUX_SYSLOGS_BLOB', 'LOGMANAGEMENT', 'Event'],
    ['SECURITY_CEF_BLOB', 'Security', 'Event'],
    ['LINUX_AUDITD_BLOB', 'Security', 'Event'],
    ['OPERATION_BLOB', 'LogManagement', 'Event'],
    ['LINUX_NAGIOSALERTS_BLOB', 'AlertManagement', 'Alert'],
    ['LINUX_ZABBIXALERTS_BLOB', 'AlertManagement', 'Alert'],
  ];
  for (const [dataType, solution, kind] of cases) {
    it(`knows ${dataType} as ${kind}`, () => {
      assert.equal(kindOf(dataType, solution), kind);
      assert.equal(kindOf(dataType.toLowerCase(), solution.toUpperCase()), kind);
    });
  }

  it('takes the solution’s kind for an unknown data type', () => {
    assert.equal(kindOf('NEW_BLOB', 'AlertManagement'), 'Alert');
    assert.equal(kindOf('NEW_BLOB', 'ChangeTracking'), 'Configuration');
    assert.equal(kindOf('NEW_BLOB', 'VMINSIGHTS'), 'Performance');
  });

  it('takes what it does not know for an Event: custom records, diagnostics, names of objects', () => {
    for (const name of ['DemoLog', '', 'toString', '__proto__', 'constructor']) assert.equal(kindOf(name, name), 'Event');
  });

  it('knows what the Linux agent sent', () => {
    const expected: Readonly<Record<string, Kind>> = { '013': 'Event', '014': 'Performance', '015': 'Event', '016': 'Event', '017': 'Event', '022': 'State' };
    for (const [number, kind] of Object.entries(expected)) {
      const { DataType, IPName } = JSON.parse(inflateSync(readCapture(number).body).toString()) as { DataType: string; IPName: string };
      assert.equal(kindOf(DataType, IPName), kind, DataType);
    }
  });
});
