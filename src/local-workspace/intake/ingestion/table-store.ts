/** Keeps the rows of Logs Ingestion: checks that a body is what its stream declares, and stages it. */
import { hash } from 'node:crypto';
import type { StagedCall } from '../../staging/entry.ts';
import type { Stage } from '../../staging/stage.ts';
import type { Call, Tables } from './call.ts';
import { type ReadRows, readRows } from './rows.ts';
import type { TableReader } from './table-reader.ts';

export function createTableStore(stage: Pick<Stage, 'keep'>, reader: Pick<TableReader, 'count'>): Tables {
  return {
    async take(call) {
      const read = await readRows(call.body, call.isGzip, call.stream);
      if (!read.ok) return read.refusal;
      const kept = await stage.keep({ head: headOf(call, read), body: call.body });
      return kept.kept ? undefined : kept.refusal;
    },
    count: () => reader.count(),
  };
}

function headOf({ rule, streamName, stream, clientId, requestId, receivedAt, isGzip, body }: Call, { rows, rawBytes }: ReadRows): StagedCall {
  const columns = stream.columns.map(({ name, type }) => ({ name, type: type === 'boolean' ? 'bool' : type }) as const);
  const { immutableId } = rule;
  const said = { immutableId, stream: streamName, table: stream.table, columns, clientId, requestId, receivedAt, rawBytes, rows };
  return { kind: 'call', ...said, encoding: isGzip ? 'gzip' : 'identity', sha256: hash('sha256', body) };
}
