/** From a request's body to the bodies of its batches, in turns, so that a large one does not keep others waiting. */
import { setImmediate } from 'node:timers/promises';
import { UnfitRecord } from './log-record.ts';
import { createRowBodies } from './row-bodies.ts';
import { rowsOf } from './rows.ts';
import type { ResourcePlaces, WireFormat } from './wire-format.ts';

/** So many bytes, of records and of rows, are worked on before others have their turn. */
const TURN_BYTES = 256 * 1024;
/** Resource and scope are written into every row, so a small request can make many bytes: no more than so many full bodies. */
const MAX_BODIES = 4;

export interface ReadLogsOptions {
  readonly format: WireFormat;
  /** Bytes of one batch's body before it is compressed. */
  readonly maxBytes: number;
  readonly encoding: 'gzip' | 'identity';
}

export interface ReadLogs {
  /** JSON arrays of rows. */
  readonly bodies: readonly Buffer[];
  readonly records: number;
  /** Records that cannot be kept, and why the first of them cannot. */
  readonly rejected: number;
  readonly reason: string;
}

/** Reads a whole request before anything of it is kept. Throws `relay.intake.bad-otlp` and `relay.intake.too-large`. */
export async function readLogs(body: Buffer, { format, maxBytes, encoding }: ReadLogsOptions): Promise<ReadLogs> {
  const resources = format.find(body);
  const records = recordsIn(resources);
  const bodies = createRowBodies({ maxBytes, encoding });
  const mostBytes = MAX_BODIES * maxBytes;
  let [kept, keptBytes, worked, reason] = [0, 0, 0, ''];
  for (const { row, bytes } of rowsOf(resources, format)) {
    worked += bytes;
    if (row instanceof UnfitRecord) reason ||= `it ${row.message}`;
    else if (keptBytes + row.bytes > mostBytes) {
      reason ||= `the rows before it have nearly ${mostBytes} bytes, and those of one request may have no more`;
      break;
    } else {
      if (!bodies.hasRoom(row)) await bodies.cut();
      bodies.add(row);
      kept += 1;
      keptBytes += row.bytes;
      worked += row.bytes;
    }
    if (worked < TURN_BYTES) continue;
    worked = 0;
    await setImmediate();
  }
  return { bodies: await bodies.finish(), records, rejected: records - kept, reason };
}

function recordsIn(resources: readonly ResourcePlaces[]): number {
  return resources.reduce((all, { scopes }) => scopes.reduce((sum, { starts }) => sum + starts.length, all), 0);
}
