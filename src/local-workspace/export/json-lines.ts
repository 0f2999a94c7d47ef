import { RelayError } from '../../errors.ts';
import type { ColumnType } from '../tables/column.ts';
import type { Chunk } from '../tables/scan.ts';
import type { NumberVector } from '../tables/vector.ts';
import { jsonOf } from './json-value.ts';
import type { ReceivedRange } from './source.ts';

const PIECE_CHARS = 64 * 1024;

/** Some rows as JSON lines. */
export interface JsonLines {
  readonly bytes: Buffer;
  readonly rows: number;
  /** The least and the greatest TimeGenerated, in milliseconds; undefined where no row has one. */
  readonly oldest: number | undefined;
  readonly newest: number | undefined;
}

/**
 * The rows of a chunk whose `_TimeReceived` is in the range, one JSON object each, in pieces of about 64 KiB. A value that a row has not is left out.
 * Throws `relay.local-workspace.export-bad-rows` when a row does not say when it was received: nobody could tell whether it was exported.
 */
export function* jsonLines(chunk: Chunk, range: ReceivedRange): Generator<JsonLines> {
  const received = timesOf(chunk, '_TimeReceived');
  const generated = timesOf(chunk, 'TimeGenerated');
  const columns = [...chunk.vectors].map(([name, vector]) => ({ member: `${JSON.stringify(name)}:`, write: jsonOf(vector) }));
  let text = '';
  let rows = 0;
  let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const piece = (): JsonLines => ({ bytes: Buffer.from(text), rows, oldest: finite(oldest), newest: finite(newest) });
  for (let row = 0; row < chunk.rows; row += 1) {
    const at = received?.values[row] ?? Number.NaN;
    if (Number.isNaN(at)) throw badRows(range.table);
    if (at < range.from || at >= range.to) continue;
    let line = '';
    for (const { member, write } of columns) {
      const json = write(row);
      if (json !== undefined) line += `${line === '' ? '{' : ','}${member}${json}`;
    }
    text += `${line}}\n`;
    rows += 1;
    const time = generated?.values[row] ?? Number.NaN;
    if (time < oldest) oldest = time;
    if (time > newest) newest = time;
    if (text.length < PIECE_CHARS) continue;
    yield piece();
    [text, rows, oldest, newest] = ['', 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  }
  if (rows > 0) yield piece();
}

/** Names and types of a chunk's columns. */
export function columnsOf(chunk: Chunk): Record<string, ColumnType> {
  return Object.fromEntries([...chunk.vectors].map(([name, { type }]) => [name, type]));
}

function timesOf(chunk: Chunk, name: string): NumberVector | undefined {
  const vector = chunk.vectors.get(name);
  return vector?.kind === 'number' ? vector : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function badRows(table: string): RelayError {
  return new RelayError(
    'relay.local-workspace.export-bad-rows',
    `Table ${table} has a row without _TimeReceived, which every row gets when it is received. Nothing of this hour was exported: report it, with the table's name.`,
  );
}
