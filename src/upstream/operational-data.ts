/** Transport for the Operational Data protocol (wire protocol §3): one POST a batch, its bytes as they came, many at a time over kept connections. */
import { randomUUID } from 'node:crypto';
import type { Batch } from '../batch/batch.ts';
import type { Verdict } from '../batch/verdict.ts';
import type { Clock } from '../clock.ts';
import { CUSTOM_RECORDS_VERSION, DIAGNOSTICS_PATH, UPLOAD_PATH } from '../oms-protocol/paths.ts';
import { OWN_QUEUE_HEADER, uploadHeaders } from '../oms-protocol/upload-headers.ts';
import { classify } from './classify.ts';
import type { HttpClient } from './http-client.ts';
import type { Registration } from './registration.ts';
import type { Transport } from './transport.ts';

export interface OperationalDataParts {
  /** `https://<id>.ods.<domain>` or the endpoint that stands for it; without a final slash. */
  readonly dataUrl: string;
  readonly version: string;
  readonly client: HttpClient;
  readonly registration: Registration;
  readonly clock: Clock;
}

export function createOperationalDataTransport(parts: OperationalDataParts): Transport {
  const { client, registration, clock } = parts;

  const send = async (batch: Batch, signal: AbortSignal): Promise<Verdict> => {
    const reached = await client.post(parts.dataUrl + pathOf(batch), headersOf(batch, parts.version), batch.body, signal);
    if (!reached.reached) return { outcome: 'retry', scope: 'workspace', reason: reached.reason };
    if (reached.answer.status === 401 || reached.answer.status === 403) registration.forget();
    return classify(reached.answer, clock.now());
  };

  return {
    async offer(batches, signal) {
      const obstacle = await registration.ensure();
      return obstacle ? batches.map(() => obstacle) : await Promise.all(batches.map((batch) => send(batch, signal)));
    },
    async close() {
      registration.close();
      await client.close();
    },
  };
}

function pathOf(batch: Batch): string {
  if (batch.origin.service === 'diagnostics') return DIAGNOSTICS_PATH;
  return batch.origin.headers['log-type'] === undefined ? UPLOAD_PATH : `${UPLOAD_PATH}?api-version=${CUSTOM_RECORDS_VERSION}`;
}

function headersOf(batch: Batch, version: string): Record<string, string> {
  return {
    ...batch.origin.headers,
    ...uploadHeaders({
      userAgent: `Relay/${version}`,
      version,
      requestId: randomUUID(),
      retryCount: 0,
      encoding: batch.origin.encoding,
      batchId: batch.id,
      agentId: batch.agentId,
    }),
    // To the relay above, our cache is a queue that waits.
    [OWN_QUEUE_HEADER]: 'true',
  };
}
