/** What the engine's thread is asked, and what it answers. Everything here can be sent from thread to thread. */
import type { KeyObject } from 'node:crypto';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { QueryAnswer, QueryLimits, TimeRange } from '../query/result.ts';
import type { PurgeOrder } from '../retention/kept-tables.ts';
import type { StoredSegment } from '../tables/catalogue.ts';
import type { TableSchema } from '../tables/column.ts';
import type { KeptRow, KeptRowFilter } from '../tables/kept-rows.ts';
import type { Vector } from '../tables/vector.ts';

/** How a workspace's tables are opened. */
export interface OpenTables {
  readonly folder: string;
  readonly hotFolder?: string | undefined;
  readonly dataKey: KeyObject;
}

/** A table as it is kept. */
export interface TableFigures {
  readonly table: string;
  readonly rows: number;
  readonly segments: number;
  /** Of the segments' files. */
  readonly bytes: number;
  /** Bounds of TimeGenerated, in milliseconds since 1970; none without rows. */
  readonly oldest?: number | undefined;
  readonly newest?: number | undefined;
}

/** By name: what is given along, and what comes back. */
export interface Operations {
  /** The place up to which the staging log was worked off. */
  open(given: OpenTables): { readonly committedSeq: number };
  close(given: undefined): void;
  /** Entries up to this place are on stable storage: they are worked off, by and by. */
  staged(given: { readonly seq: number }): void;
  /** Makes what was staged up to this place part of the tables, durably. `committedSeq` is behind `seq` only when processing is stopped. */
  commit(given: { readonly seq: number }): { readonly committedSeq: number };
  /** Stops working the log off, or goes on. */
  processing(given: { readonly on: boolean }): void;
  rows(given: KeptRowFilter): readonly KeptRow[];
  figures(given: undefined): readonly TableFigures[];
  segments(given: undefined): readonly StoredSegment[];
  trim(given: { readonly retention: Readonly<Record<string, number>>; readonly otherwise: number; readonly now: number }): { readonly removed: number };
  cool(given: { readonly hotDays: number; readonly now: number }): { readonly moved: number };
  dropTable(given: { readonly table: string; readonly throughSeq: number }): { readonly removedRows: number };
  /** Looks at the next segment that this operation has not looked at; undefined when there is none. */
  purgeStep(given: PurgeOrder): { readonly removedRows: number } | undefined;
  query(given: GivenQuery): QueryAnswer;
  schemas(given: undefined): readonly TableSchema[];
  /** Keeps the segments that there are now readable until they are let go, whatever becomes of the tables meanwhile. */
  hold(given: undefined): { readonly hold: number; readonly segments: readonly StoredSegment[] };
  release(given: { readonly hold: number }): void;
  /** All columns of one segment that is held, as queries see them. */
  chunk(given: { readonly segment: StoredSegment }): SentChunk;
}

/** A question, as the Query API takes it. */
export interface GivenQuery {
  readonly text: string;
  readonly now: number;
  readonly timespan?: TimeRange | undefined;
  readonly limits: QueryLimits;
}

/** A chunk, as it goes from thread to thread. */
export interface SentChunk {
  readonly rows: number;
  readonly vectors: readonly (readonly [name: string, vector: Vector])[];
}

export type OperationName = keyof Operations;
export type Given<Name extends OperationName> = Parameters<Operations[Name]>[0];
export type Answer<Name extends OperationName> = ReturnType<Operations[Name]>;

/** What the engine tells without being asked. */
export type EngineEvent = { readonly workspaceId: WorkspaceId } & (
  | { readonly kind: 'changed'; readonly committedSeq: number; readonly added: readonly string[]; readonly removed: readonly string[] }
  | { readonly kind: 'damaged'; readonly what: string; readonly reason: string }
  | { readonly kind: 'stuck'; readonly reason: string }
);

export type Emit = (event: EngineEvent) => void;
