import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import type { ColumnType, DeclaredStream, WrittenDeclaration } from './declaration.ts';

/** The ids and the secret that an example needs, made by chance. */
export interface ExampleIds {
  readonly tenantId: string;
  readonly clientId: string;
  readonly secret: string;
  /** 32 hexadecimal digits. */
  readonly rule: string;
}

/** What the relay adds to records, and what all of its tables have. */
const COMMON: Readonly<Record<string, ColumnType>> = {
  TimeGenerated: 'datetime',
  OriginalTime: 'datetime',
  RelayBatchId: 'string',
  RelayAgentId: 'string',
  RelayName: 'string',
  Computer: 'string',
  Host: 'string',
};

/** What Linux agents send, as they spell it. */
const TABLES: Readonly<Record<string, Readonly<Record<string, ColumnType>>>> = {
  Syslog_CL: { EventTime: 'datetime', HostIP: 'string', ident: 'string', Facility: 'string', Severity: 'string', ProcessId: 'int', Message: 'string' },
  Perf_CL: { ObjectName: 'string', InstanceName: 'string', Collections: 'dynamic' },
  Heartbeat_CL: {
    Category: 'string',
    OSType: 'string',
    OSName: 'string',
    OSMajorVersion: 'string',
    OSMinorVersion: 'string',
    ComputerPrivateIps: 'dynamic',
    Version: 'string',
  },
  Operation_CL: { OperationStatus: 'string', OperationCategory: 'string', Solution: 'string', Detail: 'string' },
};

/** A declaration to begin with: one app, and one rule with the streams that the relay chooses by itself for a Linux agent's data. */
export function exampleDeclaration(workspace: WorkspaceId, { tenantId, clientId, secret, rule }: ExampleIds): WrittenDeclaration {
  const streams = Object.fromEntries(Object.entries(TABLES).map(([table, own]) => [`Custom-${table}`, streamOf(table, { ...COMMON, ...own })]));
  return {
    tenantId,
    apps: [{ clientId, secrets: [secret] }],
    rules: [{ immutableId: `dcr-${rule}`, workspace, streams, allowedApps: [clientId] }],
  };
}

function streamOf(table: string, columns: Readonly<Record<string, ColumnType>>): DeclaredStream {
  return { table, plan: 'analytics', columns: Object.entries(columns).map(([name, type]) => ({ name, type })) };
}
