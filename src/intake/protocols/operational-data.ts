/**
 * hapi plugin: the data part of the OMS protocol (wire protocol §3): PostJsonDataItems, custom records, diagnostics. It only translates:
 * headers and bytes → batch, outcome → status.
 *
 * What an agent sends and nobody can make sense of is taken with 200 and put aside: a refusal would cost that agent the whole chunk (§3.2).
 */
import type { Lifecycle, Plugin, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { ContentEncoding, Origin } from '../../batch/batch.ts';
import { readBatchId } from '../../batch/batch-id.ts';
import { RelayError } from '../../errors.ts';
import { CUSTOM_RECORDS_VERSION, DIAGNOSTICS_PATH, UPLOAD_PATH } from '../../oms-protocol/paths.ts';
import { AGENT_ID_HEADER, BATCH_ID_HEADER, DATA_HEADERS, OWN_QUEUE_HEADER } from '../../oms-protocol/upload-headers.ts';
import type { Accept, Arrival } from '../accept.ts';
import { exceeds, readBodyHead } from '../body-head.ts';
import { readBody, STREAMED } from '../read-body.ts';
import { contentEncodingOf } from '../request-headers.ts';

/** What a compressed body may be longer than the inflated limit: data that does not compress grows a little. */
const ENCODING_OVERHEAD_BYTES = 64 * 1024;
// §3.5: a letter, then 1 to 100 letters, digits or underscores.
const LOG_TYPE = /^[A-Za-z][A-Za-z0-9_]{1,100}$/;
const DIAGNOSTICS = 'DIAGNOSTICS';

export interface OperationalDataOptions {
  readonly accept: Accept;
  /** Bytes of a body once inflated. */
  readonly maxInflatedBytes: number;
  /** Milliseconds for the whole body to arrive. */
  readonly bodyTimeoutMs: number;
}

type Described = { readonly arrival: Arrival; readonly unreadable?: string };

export const operationalDataPlugin: Plugin<OperationalDataOptions> = {
  name: 'operational-data',
  register(server, options) {
    const { accept, maxInflatedBytes } = options;
    const limits = { maxBytes: maxInflatedBytes + ENCODING_OVERHEAD_BYTES, timeoutMs: options.bodyTimeoutMs };

    const answer = async (h: ResponseToolkit, { arrival, unreadable }: Described): Promise<ResponseObject> => {
      if (unreadable === undefined)
        return h
          .response()
          .code(200)
          .header(BATCH_ID_HEADER, await accept.accept(arrival));
      const id = await accept.quarantine(arrival, unreadable);
      const message = `The batch was taken, but put aside: ${unreadable}. An operator of the relay can look at it as ${id}.`;
      return h
        .response({ quarantined: { batchId: id, reason: unreadable, message } })
        .code(200)
        .header(BATCH_ID_HEADER, id);
    };

    const upload: Lifecycle.Method = async (request, h) => {
      const body = await readBody(request, limits);
      return answer(h, isCustom(request) ? await describeCustom(request, body, maxInflatedBytes) : await describeEnvelope(request, body, maxInflatedBytes));
    };
    const diagnostics: Lifecycle.Method = async (request, h) =>
      answer(h, await describeDiagnostics(request, await readBody(request, limits), maxInflatedBytes));

    server.route([
      { method: 'POST', path: UPLOAD_PATH, handler: upload, options: { payload: STREAMED } },
      { method: 'POST', path: DIAGNOSTICS_PATH, handler: diagnostics, options: { payload: STREAMED } },
    ]);
  },
};

function isCustom(request: Request): boolean {
  return request.query['api-version'] === CUSTOM_RECORDS_VERSION || request.headers['log-type'] !== undefined;
}

async function describeEnvelope(request: Request, body: Buffer, maxBytes: number): Promise<Described> {
  const origin = originOf(request, 'operational-data');
  const head = await readBodyHead(body, origin.encoding, maxBytes);
  if (head.outcome === 'too-large') throw tooLarge(maxBytes);
  const { dataType, solution } = head.outcome === 'read' ? head : { dataType: 'UNREADABLE', solution: '' };
  const arrival: Arrival = { ...senderOf(request), dataType, solution, origin, body };
  return head.outcome === 'read' ? { arrival } : { arrival, unreadable: head.reason };
}

async function describeCustom(request: Request, body: Buffer, maxBytes: number): Promise<Described> {
  const logType: unknown = request.headers['log-type'];
  if (typeof logType !== 'string' || !LOG_TYPE.test(logType)) {
    throw new RelayError('relay.intake.bad-log-type', 'Custom records need a Log-Type header: a letter, then up to 100 letters, digits or underscores.');
  }
  const origin = originOf(request, 'operational-data');
  await refuseTooLarge(body, origin.encoding, maxBytes);
  const arrival: Arrival = { ...senderOf(request), dataType: logType, solution: 'CustomLog', origin, body };
  return body.length === 0 ? { arrival, unreadable: 'empty' } : { arrival };
}

// The body has no DataType key; its IPName is nearly always this one (§3.6).
async function describeDiagnostics(request: Request, body: Buffer, maxBytes: number): Promise<Described> {
  const origin = originOf(request, 'diagnostics');
  await refuseTooLarge(body, origin.encoding, maxBytes);
  const arrival: Arrival = { ...senderOf(request), dataType: DIAGNOSTICS, solution: 'Diagnostics', origin, body };
  return body.length === 0 ? { arrival, unreadable: 'empty' } : { arrival };
}

async function refuseTooLarge(body: Buffer, encoding: ContentEncoding, maxBytes: number): Promise<void> {
  if (await exceeds(body, encoding, maxBytes)) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): RelayError {
  return new RelayError(
    'relay.intake.too-large',
    `The body inflates to more than ${maxBytes} bytes (intake.maxInflatedSize). Send smaller batches, or raise the limit.`,
  );
}

function senderOf(request: Request): Pick<Arrival, 'workspaceId' | 'agentId' | 'id' | 'hasOwnQueue' | 'saysRepeat' | 'canGoDirect'> {
  const { agent } = request.auth.credentials;
  if (!agent) throw new RelayError('relay.internal', 'An upload was let in without an agent.');
  // OMS agents count 0, 2, 3 …; their X-Request-ID is another one at each try (§3.1).
  const saysRepeat = Number(request.headers['x-ms-client-request-retry-count'] ?? 0) > 0;
  const hasOwnQueue = request.headers[OWN_QUEUE_HEADER] !== undefined;
  // A relay has a queue too, but it names the agent whose data it carries, and knows one way only.
  const canGoDirect = hasOwnQueue && request.headers[AGENT_ID_HEADER] === undefined;
  return { workspaceId: agent.workspaceId, agentId: agent.agentId, id: readBatchId(request.headers[BATCH_ID_HEADER]), hasOwnQueue, saysRepeat, canGoDirect };
}

function originOf(request: Request, service: Origin['service']): Origin {
  const headers = Object.fromEntries(
    DATA_HEADERS.flatMap((name) => {
      const value: unknown = request.headers[name];
      return typeof value === 'string' && value.length <= 1024 ? [[name, value] as const] : [];
    }),
  );
  return { protocol: 'operational-data', service, encoding: contentEncodingOf(request), headers };
}
