import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import type { TableSchema } from '../../tables/column.ts';
import { resourceIdOf } from './resource-id.ts';

export interface Metadata {
  readonly tables: readonly MetadataTable[];
  readonly workspaces: readonly MetadataWorkspace[];
}

interface MetadataTable {
  readonly id: string;
  readonly name: string;
  readonly timespanColumn: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly related: { readonly workspaces: readonly string[] };
}

interface MetadataWorkspace {
  readonly id: string;
  readonly resourceId: string;
  readonly name: string;
  readonly region: string;
  readonly related: { readonly tables: readonly string[] };
}

/** Tables and columns as the service's metadata call gives them. It also gives functions, solutions and categories: we have none, and say none. */
export function metadataOf(workspaceId: WorkspaceId, tables: readonly TableSchema[]): Metadata {
  return {
    tables: tables.map(({ name, columns }) => ({
      id: name,
      name,
      timespanColumn: 'TimeGenerated',
      columns: columns.map((column) => ({ name: column.name, type: column.type })),
      related: { workspaces: [workspaceId] },
    })),
    workspaces: [
      {
        id: workspaceId,
        resourceId: resourceIdOf(workspaceId),
        name: workspaceId,
        region: 'local',
        related: { tables: tables.map(({ name }) => name) },
      },
    ],
  };
}
