import type { Batch } from '../../batch/batch.ts';
import { dataTypeNamed } from '../../batch/data-types.ts';
import { STREAM_HEADER } from '../../oms-protocol/upload-headers.ts';
import type { StreamOptions } from '../../workspace/ingestion-options.ts';

/** Where a batch's records go: a stream of the data collection rule, and the plan of its table. */
export interface Stream {
  readonly name: string;
  readonly plan: StreamOptions['plan'];
}

export type FoundStream = { readonly found: true; readonly stream: Stream } | { readonly found: false; readonly reason: string };

/** Which stream a batch's records go to. */
export type Streams = (batch: Pick<Batch, 'dataType' | 'origin'>) => FoundStream;

/**
 * Makes the table: the operator's streams before ours. Custom records go to the stream that their sender named, or to `Custom-<Log-Type>_CL`;
 * data types to the twins of their tables.
 */
export function createStreams(given: readonly StreamOptions[]): Streams {
  const operators = new Map(given.map((one) => [one.source.toLowerCase(), one]));
  return ({ dataType, origin }) => {
    const source = dataType.toLowerCase();
    const operator = operators.get(source);
    if (operator?.stream === 'none') return parked(`${dataType} has no stream: the operator chose none. Name one in ingestion.streams to have it sent`);
    if (operator) return found(operator.stream, operator.plan);
    const named = origin.headers[STREAM_HEADER];
    if (named !== undefined) return found(named, 'analytics');
    const table = origin.headers['log-type'] === undefined ? dataTypeNamed(dataType)?.table : dataType.replace(/_CL$/i, '');
    if (table !== undefined) return found(`Custom-${table}_CL`, 'analytics');
    return parked(`${dataType} has no stream: name one in ingestion.streams (source: ${dataType}, stream: Custom-…_CL), and declare it in the rule`);
  };
}

function found(name: string, plan: Stream['plan']): FoundStream {
  return { found: true, stream: { name, plan } };
}

function parked(reason: string): FoundStream {
  return { found: false, reason };
}
