import type { TableSchema } from '../../../tables/column.ts';
import type { Chunk } from '../../../tables/scan.ts';
import type { Vector } from '../../../tables/vector.ts';
import type { TimeRange } from '../../result.ts';
import { nullOf } from '../values/cell.ts';
import { type Batch, constantVector, createBatch, pickRows } from '../vectors/batch.ts';
import { type Demand, narrowed, type Run, type Stage } from './stage.ts';

/** A table of the workspace. Reads the columns that are demanded and no other; leaves out what lies outside the demanded times. */
export function createTable(schema: TableSchema): Stage {
  const time = schema.columns.findIndex(({ name }) => name === 'TimeGenerated');
  return { columns: schema.columns, open: (run, demand) => scan(schema, time, run, demand) };
}

async function* scan(schema: TableSchema, time: number, run: Run, demand: Demand): AsyncGenerator<Batch> {
  const { timespan } = run;
  const bounded = timespan && time >= 0;
  const places = new Set(bounded ? [...demand.columns, time] : demand.columns);
  const columns = [...places].flatMap((place) => schema.columns[place]?.name ?? []);
  const { from, to } = narrowed(timespan, demand.ranges.get(time));
  for await (const chunk of run.scanner.scan({ table: schema.name, columns, from, to })) {
    run.scanned(chunk.rows);
    const batch = batchOfChunk(schema, chunk);
    const inside = bounded ? rowsWithin(batch, time, timespan) : batch;
    if (inside.rows > 0) yield inside;
    await run.pause();
  }
}

function batchOfChunk({ columns }: TableSchema, { rows, vectors }: Chunk): Batch {
  return createBatch(rows, (index): Vector => {
    const column = columns[index];
    const vector = column && vectors.get(column.name);
    return vector ?? constantVector(column?.type ?? 'string', nullOf(column?.type ?? 'string'), rows);
  });
}

function rowsWithin(batch: Batch, time: number, { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: TimeRange): Batch {
  const vector = batch.column(time);
  if (vector.kind !== 'number') return batch;
  const rows = new Uint32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row += 1) {
    const at = vector.values[row] as number;
    if (at >= from && at < to) rows[count++] = row;
  }
  return count === batch.rows ? batch : pickRows(batch, rows.subarray(0, count));
}
