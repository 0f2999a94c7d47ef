/** What is known of the tables that the service fills from agents' data types: its own names and types of their fields (reference of the tables). */
import type { ColumnType } from '../tables/column.ts';

export interface KnownField {
  readonly column: string;
  readonly type: ColumnType;
}

type Fields = Readonly<Record<string, KnownField>>;

const field = (column: string, type: ColumnType = 'string'): KnownField => ({ column, type });

const SYSLOG: Fields = {
  ident: field('ProcessName'),
  EventTime: field('EventTime', 'datetime'),
  Host: field('HostName'),
  HostIP: field('HostIP'),
  Message: field('SyslogMessage'),
  ProcessId: field('ProcessID', 'int'),
  Facility: field('Facility'),
  Severity: field('SeverityLevel'),
};

const FIELDS: Readonly<Record<string, Fields>> = {
  Syslog: SYSLOG,
  CommonSecurityLog: { ...SYSLOG, Message: field('Message') },
  Perf: {
    ObjectName: field('ObjectName'),
    InstanceName: field('InstanceName'),
    CounterName: field('CounterName'),
    CounterValue: field('CounterValue', 'real'),
    CounterPath: field('CounterPath'),
    SampleCount: field('SampleCount', 'int'),
  },
  Heartbeat: { ComputerPrivateIps: field('ComputerPrivateIPs') },
  Operation: { Category: field('OperationCategory') },
  InsightsMetrics: { Value: field('Val', 'real') },
  Event: { EventID: field('EventID', 'int'), EventLevel: field('EventLevel', 'int'), EventCategory: field('EventCategory', 'int') },
  SecurityEvent: { EventID: field('EventID', 'int'), LogonType: field('LogonType', 'int'), Task: field('Task', 'int') },
};

/** What is known of a sender's field in a table. */
export function knownField(table: string, name: string): KnownField | undefined {
  const fields = FIELDS[table];
  return fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
}
