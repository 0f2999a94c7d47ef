import type { Column } from '../tables/column.ts';
import type { Scanner } from '../tables/scan.ts';

/** Times in milliseconds since 1970: `from` included, `to` not. */
export interface TimeRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface QueryLimits {
  /** Rows in an answer; more are left off and the answer says so. */
  readonly rows: number;
  /** Bytes of an answer's cells as JSON (an estimate for numbers); more are left off and the answer says so. */
  readonly bytes: number;
  /** Bytes that grouping, sorting, joining and the like may hold in memory, all of a query together. 256 MiB unless told. */
  readonly stateBytes?: number | undefined;
}

export interface QueryContext {
  readonly scanner: Scanner;
  /** What `now()` and `ago()` go by: milliseconds since 1970. */
  readonly now: number;
  /** Rows of tables outside it do not exist for the query. */
  readonly timespan?: TimeRange | undefined;
  readonly limits: QueryLimits;
  readonly signal: AbortSignal;
  /** Called between chunks, so that the thread can do other work. */
  readonly breathe: () => Promise<void>;
}

/** What a `render` operator asked for. It changes nothing in the rows. */
export type Render = {
  readonly visualization: string;
  readonly properties: Readonly<Record<string, string | number | boolean>>;
};

/** A cell as the Query API gives it: dynamic values are the text of their JSON, times and spans of time are Kusto's texts. */
export type JsonCell = string | number | boolean | null;

export interface QueryTable {
  readonly kind: 'table';
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly JsonCell[])[];
  /** Which limit cut the answer short. */
  readonly truncated?: { readonly reason: 'rows' | 'bytes' };
  /** Rows that the tables gave, before any filter. */
  readonly scannedRows: number;
  readonly render?: Render;
}

/** What is wrong with a query's text, and where. `position` counts from 1 within the line, as Kusto does; `offset` counts from 0 within the text. */
export interface QueryError {
  readonly kind: 'syntax-error' | 'semantic-error';
  /** Kusto's own code, where it has one. */
  readonly code?: string;
  readonly message: string;
  readonly line: number;
  readonly position: number;
  readonly offset: number;
  /** The word at fault; empty at the end of the text. */
  readonly token: string;
}

export type QueryAnswer = QueryTable | QueryError | { readonly kind: 'cancelled' } | { readonly kind: 'too-large'; readonly message: string };
