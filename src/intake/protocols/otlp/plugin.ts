/**
 * hapi plugin: log records by OpenTelemetry (OTLP/HTTP). It only translates: log records in protobuf or JSON → batches of custom records, one
 * row a record.
 */
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import { RelayError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import type { Accept } from '../../accept.ts';
import { inflateBody } from '../../inflate.ts';
import { readBody, STREAMED } from '../../read-body.ts';
import { refusingBy } from '../../refusal-writer.ts';
import { contentEncodingOf, contentTypeOf } from '../../request-headers.ts';
import { formatOf, partialSuccessOf, writeNotAllowed, writeRefusal } from './answers.ts';
import { readLogs } from './read-logs.ts';
import type { WireFormat } from './wire-format.ts';

const LOGS_PATH = '/v1/logs';
const DATA_TYPE = 'OTelLogs';
/** What a compressed body may be longer than the inflated limit: data that does not compress grows a little. */
const ENCODING_OVERHEAD_BYTES = 64 * 1024;
const ORIGIN = {
  protocol: 'operational-data',
  service: 'operational-data',
  headers: { 'log-type': DATA_TYPE, 'time-generated-field': 'TimeGenerated' },
} as const;

export interface OtlpOptions {
  readonly accept: Accept;
  /** Bytes of a body once inflated, and of a batch's rows. */
  readonly maxInflatedBytes: number;
  /** Milliseconds for the whole body to arrive. */
  readonly bodyTimeoutMs: number;
  readonly log: Logger;
}

export const otlpPlugin: Plugin<OtlpOptions> = {
  name: 'otlp',
  register(server, options) {
    const { accept, maxInflatedBytes, bodyTimeoutMs, log } = options;
    const limits = { maxBytes: maxInflatedBytes + ENCODING_OVERHEAD_BYTES, timeoutMs: bodyTimeoutMs };

    const take: Lifecycle.Method = async (request, h) => {
      const { agent } = request.auth.credentials;
      if (!agent) throw new RelayError('relay.internal', 'Log records were let in without an agent.');
      const { workspaceId, agentId } = agent;
      const format = mustBeFormat(request);
      const sentIn = contentEncodingOf(request);
      const plain = await inflateBody(await readBody(request, limits), sentIn, maxInflatedBytes);
      // Who compresses has a thin line or much data; for others the work is saved.
      const encoding = sentIn === 'identity' ? 'identity' : 'gzip';
      const { bodies, ...result } = await readLogs(plain, { format, maxBytes: maxInflatedBytes, encoding });
      for (const body of bodies) {
        await accept.accept({ workspaceId, agentId, dataType: DATA_TYPE, solution: 'CustomLog', origin: { ...ORIGIN, encoding }, body });
      }
      const partial = partialSuccessOf(result);
      if (partial) log.warn({ workspaceId, agentId, rejected: partial.rejected }, partial.message);
      // Senders compare the type as a whole.
      return h.response(format.writeResponse(partial)).code(200).type(format.type).charset('');
    };

    const settings = { auth: 'sender', payload: STREAMED, app: refusingBy(writeRefusal) };
    server.route([
      { method: 'POST', path: LOGS_PATH, handler: take, options: settings },
      { method: '*', path: LOGS_PATH, handler: refuseMethod, options: { auth: false, app: refusingBy(writeNotAllowed) } },
      ...['metrics', 'traces'].map((signal) => ({
        method: 'POST' as const,
        path: `/v1/${signal}`,
        handler: refuseSignal(signal),
        options: { ...settings, auth: false as const },
      })),
    ]);
  },
};

const refuseMethod: Lifecycle.Method = () => {
  throw new RelayError('relay.intake.unknown-path', 'Log records are sent by POST.');
};

function refuseSignal(signal: string): Lifecycle.Method {
  return () => {
    throw new RelayError('relay.intake.unknown-path', `The relay takes log records by OTLP (${LOGS_PATH}), no ${signal}. Send those elsewhere.`);
  };
}

function mustBeFormat(request: Request): WireFormat {
  const type = contentTypeOf(request);
  const format = formatOf(type);
  if (!format)
    throw new RelayError('relay.intake.bad-content-type', `Content-Type "${type.slice(0, 60)}" is neither application/x-protobuf nor application/json.`);
  return format;
}
