import type { TableSchema } from './column.ts';
import type { Vector } from './vector.ts';

/** Some rows of a table, column by column. */
export interface Chunk {
  readonly rows: number;
  /** By name, as asked for; a column that none of these rows has is missing. All vectors have `rows` values. */
  readonly vectors: ReadonlyMap<string, Vector>;
}

export interface ScanRequest {
  /** As the schema spells it. */
  readonly table: string;
  /** Only these are read. None: how many rows there are is all that is asked. */
  readonly columns: readonly string[];
  /** Bounds on TimeGenerated (milliseconds since 1970, `from` included, `to` not): chunks outside are left out; rows outside may still come. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Reads one workspace's tables, as they were when the scan began. */
export interface Scanner {
  tables(): readonly TableSchema[];
  /** Chunks of at most some 100,000 rows, in no order that is promised. Ending the loop early is fine. */
  scan(request: ScanRequest): AsyncIterable<Chunk>;
}
