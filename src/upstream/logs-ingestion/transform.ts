/** The work of the thread: bodies in, pieces of requests out. Pure but for the time it takes. */
import type { ContentEncoding } from '../../batch/batch.ts';
import { openBody } from './body-rows.ts';
import type { Piece, Span } from './piece.ts';
import { createPieceWriter, type PieceWriter } from './piece-writer.ts';
import { type RowContext, rowOf } from './row.ts';

/** Batches of one stream, in the order in which their records go. */
export interface TransformTask {
  readonly batches: readonly TransformBatch[];
  readonly isAuxiliary: boolean;
  /** Bounds an inflated body. */
  readonly maxBytes: number;
}

export interface TransformBatch extends RowContext {
  readonly body: Uint8Array;
  readonly encoding: ContentEncoding;
  /** Custom records: the body is an array, or one record. */
  readonly isCustom: boolean;
  /** Its records share no piece with those of other batches: it may go as the bytes that came. */
  readonly isApart: boolean;
  /** Only these records; all when undefined. */
  readonly only: readonly Pick<Span, 'from' | 'to'>[] | undefined;
}

export interface Transformed {
  readonly pieces: readonly Piece[];
  /** In the order of the task's batches. */
  readonly batches: readonly TransformedBatch[];
}

export interface TransformedBatch {
  /** How many the body holds. */
  readonly records: number;
  /** Why nothing of it can be read. */
  readonly unreadable?: string;
  /** Records that cannot become rows. */
  readonly bad: readonly { readonly record: number; readonly status: number; readonly reason: string }[];
  /** Bytes of the body, inflated, when it is what the service takes, as it is. */
  readonly fitBytes?: number;
}

export function transform(task: TransformTask): Transformed {
  const writer = createPieceWriter(task.isAuxiliary);
  const batches = task.batches.map((batch, at) => {
    if (batch.isApart) writer.cut();
    const transformed = transformBatch(batch, at, writer, task.maxBytes);
    if (batch.isApart) writer.cut();
    return transformed;
  });
  const { pieces, tooLarge } = writer.end();
  return { pieces, batches: batches.map((batch, at) => withTooLarge(batch, at, tooLarge)) };
}

function transformBatch(batch: TransformBatch, at: number, writer: PieceWriter, maxBytes: number): TransformedBatch {
  const body = openBody(batch.body, batch.encoding, maxBytes, batch.isCustom);
  if (!body.readable) return { records: 0, unreadable: body.reason, bad: [] };
  const { json, starts, ends } = body;
  const bad: { record: number; status: number; reason: string }[] = [];
  let isAsItWas = batch.isApart && body.isArray && batch.only === undefined;
  for (const { from, to } of batch.only ?? [{ from: 0, to: starts.length }]) {
    for (let record = from; record < Math.min(to, starts.length); record += 1) {
      const row = rowOf(json, starts[record] ?? 0, ends[record] ?? 0, batch);
      if (row.outcome === 'bad') bad.push({ record, status: 400, reason: `${row.reason}; the relay did not send it` });
      else if (row.outcome === 'rewritten') writer.wrote(writeText(writer, row.text), at, record, row.ms);
      else writer.wrote(writeRow(writer, json.subarray(starts[record], ends[record]), row), at, record, row.ms);
      if (row.outcome !== 'row' || row.added !== '') isAsItWas = false;
    }
  }
  return { records: starts.length, bad, ...(isAsItWas && starts.length > 0 ? { fitBytes: json.length } : {}) };
}

function writeText(writer: PieceWriter, text: string): number {
  const bytes = Buffer.byteLength(text);
  const { buffer, at } = writer.room(bytes);
  return buffer.write(text, at);
}

function writeRow(writer: PieceWriter, own: Buffer, { added, isEmpty }: { readonly added: string; readonly isEmpty: boolean }): number {
  const { buffer, at } = writer.room(own.length + Buffer.byteLength(added) + 2);
  if (added === '') return own.copy(buffer, at);
  const kept = own.copy(buffer, at, 0, own.length - 1);
  return kept + buffer.write(`${isEmpty ? '' : ','}${added}}`, at + kept);
}

function withTooLarge(batch: TransformedBatch, at: number, tooLarge: readonly Span[]): TransformedBatch {
  const own = tooLarge.filter((span) => span.batch === at);
  if (own.length === 0) return batch;
  const reason = 'the record alone is larger than a request may be (1 MiB, compressed); the relay did not send it';
  const bad = own.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, n) => ({ record: from + n, status: 413, reason })));
  const { fitBytes: _, ...rest } = batch;
  return { ...rest, bad: [...batch.bad, ...bad] };
}
