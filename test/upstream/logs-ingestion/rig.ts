import { gunzipSync } from 'node:zlib';
import { systemClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/logger.ts';
import type { Outcome } from '../../../src/upstream/logs-ingestion/answers.ts';
import { createPrepare } from '../../../src/upstream/logs-ingestion/preparing.ts';
import type { Request } from '../../../src/upstream/logs-ingestion/sender.ts';
import { createStreams } from '../../../src/upstream/logs-ingestion/streams.ts';
import { type Transformed, type TransformTask, transform } from '../../../src/upstream/logs-ingestion/transform.ts';
import { createLogsIngestionTransport } from '../../../src/upstream/logs-ingestion/transport.ts';
import { createRecordOpener } from '../../../src/upstream/record-opener.ts';
import type { Transport } from '../../../src/upstream/transport.ts';
import type { IngestionOptions } from '../../../src/workspace/ingestion-options.ts';
import { RECEIVED_AT } from './batches.ts';

/** What a request held. */
export interface Sent {
  readonly stream: string;
  readonly rows: readonly Record<string, unknown>[];
  readonly request: Request;
}

export interface Rig extends AsyncDisposable {
  readonly transport: Transport;
  /** In the order in which they were sent. */
  readonly sent: readonly Sent[];
  /** Records that were said to be taken. */
  records(): number;
}

export interface RigOptions {
  /** What the service says to a request; 204 unless given. */
  readonly answer?: (sent: Sent) => Outcome | Promise<Outcome>;
  readonly columns?: Partial<IngestionOptions['columns']>;
  readonly streams?: IngestionOptions['streams'];
  readonly transformTask?: (task: TransformTask) => Promise<Transformed>;
  readonly offersInFlight?: number;
}

export const DELIVERED: Outcome = { outcome: 'delivered' };
export const BAD: Outcome = { outcome: 'refused', status: 400, answer: 'bad records' };

/** The transport with a service made of a function, its transform in this thread. */
export function createRig({ answer = () => DELIVERED, columns, streams = [], transformTask, offersInFlight = 64 }: RigOptions = {}): Rig {
  const sent: Sent[] = [];
  let records = 0;
  const opener = createRecordOpener(64 * 1024 * 1024);
  const given = { batchId: false, agent: false, relay: false, originalTime: false, ...columns };
  const transport = createLogsIngestionTransport({
    streams: createStreams(streams),
    transformer: { transform: transformTask ?? (async (task) => transform(task)) },
    prepare: createPrepare({ columns: given, relayName: 'relay', now: () => RECEIVED_AT }),
    async send(request) {
      const { stream, body, encoding } = request;
      const rows = JSON.parse((encoding === 'gzip' ? gunzipSync(body) : body).toString()) as Record<string, unknown>[];
      const one = { stream, rows, request };
      sent.push(one);
      return await answer(one);
    },
    opener,
    maxInflatedBytes: 64 * 1024 * 1024,
    offersInFlight,
    clock: systemClock,
    log: silentLogger,
    onPart: () => {},
    onRecords: (count) => {
      records += count;
    },
    close: async () => {},
  });
  return { transport, sent, records: () => records, [Symbol.asyncDispose]: () => opener.close() };
}
