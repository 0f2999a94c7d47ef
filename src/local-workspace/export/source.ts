import type { Column } from '../tables/column.ts';
import type { Chunk, Scanner } from '../tables/scan.ts';
import { HOUR_MS } from './layout.ts';

export interface ExportTable {
  readonly name: string;
  readonly columns: readonly Column[];
}

/** Bounds on `_TimeReceived` in milliseconds since 1970: `from` included, `to` not. */
export interface ReceivedRange {
  readonly table: string;
  readonly from: number;
  readonly to: number;
}

/** Where the rows of one workspace come from. */
export interface ExportSource {
  tables(): readonly ExportTable[];
  /**
   * No row will ever come whose `_TimeReceived` is before this (milliseconds since 1970), and all that did are in `rows`. The promise that an
   * export neither misses rows nor has them twice stands on this one.
   */
  settledBefore(): Promise<number>;
  /** The hours (their first millisecond, UTC) of `_TimeReceived` in which the table has rows of this range, in order. An hour too many does no harm. */
  hours(range: ReceivedRange): Promise<readonly number[]>;
  /** All columns of the rows of this range, in no order that is promised. Rows outside may come too. */
  rows(range: ReceivedRange): AsyncIterable<Chunk>;
}

/** A source over a scanner, which reads a whole table for each hour: for small workspaces, and where nothing knows in which chunks an hour is. */
export function scannerSource(scanner: Scanner, settledBefore: () => Promise<number>): ExportSource {
  return {
    tables: () => scanner.tables(),
    settledBefore,
    async hours({ table, from, to }) {
      const hours = new Set<number>();
      for await (const chunk of scanner.scan({ table, columns: ['_TimeReceived'] })) {
        const received = chunk.vectors.get('_TimeReceived');
        if (received?.kind !== 'number') continue;
        for (const at of received.values) if (at >= from && at < to) hours.add(at - (at % HOUR_MS));
      }
      return [...hours].sort((a, b) => a - b);
    },
    rows({ table }) {
      const columns = scanner.tables().find(({ name }) => name === table)?.columns ?? [];
      return scanner.scan({ table, columns: columns.map(({ name }) => name) });
    },
  };
}
