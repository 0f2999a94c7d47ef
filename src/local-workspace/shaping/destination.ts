import type { TableBuilder } from '../tables/table-builder.ts';
import type { TableColumns } from './table-columns.ts';

/** Of agents that belong to no management group of their own. */
export const NO_GROUP = '00000000-0000-0000-0000-000000000001';

/** Where rows go. */
export interface Destination {
  columnsOf(table: string): TableColumns;
  /** For rows of a table whose TimeGenerated is of this day, counted since 1970. */
  builderOf(table: string, day: number): TableBuilder;
}
