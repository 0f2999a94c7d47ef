import type { Batch } from '../../batch/batch.ts';
import type { ColumnOptions } from '../../workspace/ingestion-options.ts';
import { MAX_REQUEST_BYTES } from './limits.ts';
import { rangesWithout } from './ranges.ts';
import type { TransformBatch } from './transform.ts';
import type { Work, WorkSpan } from './work.ts';

/** What the transform is told of a batch. */
export type Prepare = (batch: Batch, only: TransformBatch['only']) => TransformBatch;

export interface PrepareParts {
  readonly columns: ColumnOptions;
  /** What RelayName says. */
  readonly relayName: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createPrepare({ columns, relayName, now }: PrepareParts): Prepare {
  const constantsOf = ({ id, agentId }: Batch): Record<string, string> => ({
    ...(columns.batchId ? { RelayBatchId: id } : {}),
    ...(columns.agent ? { RelayAgentId: agentId } : {}),
    ...(columns.relay ? { RelayName: relayName } : {}),
  });
  const hasConstants = columns.batchId || columns.agent || columns.relay;

  return (batch, only) => {
    const { body, origin, receivedAt } = batch;
    const isCustom = origin.headers['log-type'] !== undefined;
    return {
      // A copy of its own: a body shares its memory with its neighbours, which would be copied with it.
      body: new Uint8Array(body),
      encoding: origin.encoding,
      isCustom,
      isApart: isCustom && !hasConstants && only === undefined && origin.encoding !== 'deflate' && body.length <= MAX_REQUEST_BYTES,
      // Nothing but numbers: what is handed to a thread is copied with all that hangs on it.
      only: only?.map(({ from, to }) => ({ from, to })),
      constants: constantsOf(batch),
      keepsOriginalTime: columns.originalTime,
      timeField: origin.headers['time-generated-field'],
      receivedAt,
      now: now(),
    };
  };
}

/** The records of a batch that are not settled yet; undefined for all. */
export function unsettled({ before }: Work): TransformBatch['only'] {
  return before ? rangesWithout(Number.MAX_SAFE_INTEGER, [...before.delivered, ...before.refused]) : undefined;
}

/** The spans of each batch together, in order. */
export function byWork(spans: readonly WorkSpan[]): Map<Work, WorkSpan[]> {
  return Map.groupBy(spans, ({ work }) => work);
}
