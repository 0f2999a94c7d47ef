import type { Column } from '../../tables/column.ts';
import type { JsonCell, QueryLimits, QueryTable } from '../result.ts';
import { demandAll, type Run, type Stage } from './operators/stage.ts';
import { createCellReader } from './values/json-cell.ts';
import type { Batch } from './vectors/batch.ts';

type Rows = Pick<QueryTable, 'columns' | 'rows' | 'truncated'>;

// Brackets and commas.
const ROW_BYTES = 3;

/** Reads a stage to its end, or until the answer is as large as it may be. */
export async function readAnswer(stage: Stage, run: Run, limits: QueryLimits): Promise<Rows> {
  const columns: Column[] = stage.columns.map(({ name, type }) => ({ name, type }));
  const rows: JsonCell[][] = [];
  let left = limits.bytes;
  for await (const batch of stage.open(run, demandAll(stage))) {
    const cut = limits.rows - rows.length < batch.rows;
    left = append(rows, batch, columns.length, Math.min(batch.rows, limits.rows - rows.length), left);
    if (left < 0) return { columns, rows, truncated: { reason: 'bytes' } };
    if (cut) return { columns, rows, truncated: { reason: 'rows' } };
    await run.pause();
  }
  return { columns, rows };
}

// What is left of the bytes; below 0 when a row more would not have fitted.
function append(rows: JsonCell[][], batch: Batch, width: number, count: number, bytes: number): number {
  const readers = Array.from({ length: width }, (_, index) => createCellReader(batch.column(index)));
  let left = bytes;
  for (let row = 0; row < count; row += 1) {
    left -= ROW_BYTES;
    for (const reader of readers) left -= reader.bytes(row);
    if (left < 0) return left;
    rows.push(readers.map((reader) => reader.cell(row)));
  }
  return left;
}
