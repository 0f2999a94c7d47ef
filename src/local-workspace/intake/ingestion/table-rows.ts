import type { Stage } from '../../staging/stage.ts';
import type { KeptRow } from '../../tables/kept-rows.ts';
import type { TableRow } from './call.ts';

/** Which rows to read; the newest where there are more than `limit`. */
export interface RowFilter {
  /** Compared without regard to case. */
  readonly table: string;
  /** ISO 8601, UTC: received then or later. */
  readonly since?: string | undefined;
  /** A text that the row's JSON holds. */
  readonly where?: string | undefined;
  readonly limit?: number | undefined;
}

/** The rows of a table that match, in the order in which they came. Throws `relay.local-workspace.tables-closed` without the workspace's key. */
export async function tableRows(stage: Pick<Stage, 'settle' | 'ask'>, { since, limit, ...filter }: RowFilter): Promise<readonly TableRow[]> {
  await stage.settle();
  const received = since === undefined ? undefined : Date.parse(since);
  const rows = await stage.ask('rows', { ...filter, since: received, limit: limit ?? Number.MAX_SAFE_INTEGER, end: 'newest' });
  return rows.map(rowOf);
}

function rowOf({ data, timeGenerated, timeReceived }: KeptRow): TableRow {
  return { ...data, TimeGenerated: new Date(timeGenerated).toISOString(), _TimeReceived: new Date(timeReceived).toISOString() };
}
