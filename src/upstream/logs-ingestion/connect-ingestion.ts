import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { IngestionOptions } from '../../workspace/ingestion-options.ts';
import type { HttpClient } from '../http-client.ts';
import type { RecordOpener } from '../record-opener.ts';
import type { Transport } from '../transport.ts';
import { createBudget } from './budget.ts';
import { BYTES_A_MINUTE, REQUESTS_A_MINUTE } from './limits.ts';
import { createPrepare } from './preparing.ts';
import { createSender, type Tokens } from './sender.ts';
import { createStreams } from './streams.ts';
import type { Transformer } from './transformer.ts';
import { createLogsIngestionTransport } from './transport.ts';

export interface ConnectIngestionParts {
  readonly options: IngestionOptions;
  readonly client: HttpClient;
  readonly tokens: Tokens & { close(): void | Promise<void> };
  readonly transformer: Transformer;
  readonly opener: RecordOpener;
  /** What RelayName says. */
  readonly relayName: string;
  readonly version: string;
  readonly connections: number;
  readonly offersInFlight: number;
  /** Bounds an inflated body. */
  readonly maxInflatedBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of records that the workspace took. */
  readonly onRecords: (records: number) => void;
  readonly onPart: (bytes: number) => void;
  readonly onRequest: (request: { readonly outcome: string; readonly fill: number }) => void;
}

/** Makes the transport to a workspace by its data collection rule. Nothing is sent before the first batch. */
export function connectIngestion(parts: ConnectIngestionParts): Transport {
  const { options, client, tokens, clock } = parts;
  const send = createSender({
    ...parts,
    endpoint: (options.endpoint ?? '').replace(/\/$/, ''),
    ruleId: options.ruleId ?? '',
    userAgent: `Relay/${parts.version}`,
    budget: createBudget({ requestsAMinute: REQUESTS_A_MINUTE, bytesAMinute: BYTES_A_MINUTE }),
  });
  return createLogsIngestionTransport({
    ...parts,
    send,
    streams: createStreams(options.streams),
    prepare: createPrepare({ columns: options.columns, relayName: parts.relayName, now: clock.now }),
    async close() {
      await tokens.close();
      await client.close();
    },
  });
}
