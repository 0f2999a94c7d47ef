/** What a column's values are (the types of Azure Monitor Logs, under the names that the Query API gives them). */
export type ColumnType = 'string' | 'int' | 'long' | 'real' | 'bool' | 'datetime' | 'timespan' | 'guid' | 'dynamic';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** A table as it is now: columns come as data brings them, and none goes or changes its type. */
export interface TableSchema {
  readonly name: string;
  readonly columns: readonly Column[];
}

/** What every table has, in this order, ahead of its own columns. */
export const COMMON_COLUMNS: readonly Column[] = [
  { name: 'TenantId', type: 'guid' },
  { name: 'TimeGenerated', type: 'datetime' },
  { name: 'Computer', type: 'string' },
  { name: 'MG', type: 'guid' },
  { name: 'Type', type: 'string' },
  { name: '_TimeReceived', type: 'datetime' },
  { name: '_ItemId', type: 'guid' },
];
