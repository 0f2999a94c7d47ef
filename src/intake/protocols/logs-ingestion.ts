/** hapi plugin: the Logs Ingestion API. It only translates: rows of a stream → a batch of custom records that remembers its stream. */
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import { type ErrorCode, RelayError } from '../../errors.ts';
import { bearerChallenge, INGESTION_PATH, INGESTION_VERSIONS, tooLongMessage } from '../../ingestion-protocol/service.ts';
import { STREAM_HEADER } from '../../oms-protocol/upload-headers.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Accept } from '../accept.ts';
import { inflateBody } from '../inflate.ts';
import { mustBeRows } from '../json-rows.ts';
import type { ProtocolWords } from '../protocol-words.ts';
import { readBody, STREAMED } from '../read-body.ts';
import { type RefusalWriter, refusingBy } from '../refusal-writer.ts';
import { contentTypeOf, headerOf } from '../request-headers.ts';

const IMMUTABLE_ID = /^dcr-[0-9a-f]{32}$/;
const STREAM = /^(?:Custom|Microsoft)-([A-Za-z][A-Za-z0-9_-]{0,90})$/;
/** Read before a body is refused for its size, so that the refusal says how large it was. */
const MAX_READ_BYTES = 64 * 1024 * 1024;
const TENANT = 'common';

export interface LogsIngestionOptions {
  readonly accept: Accept;
  /** The workspace whose data collection rule this is, where it is one that the relay knows. */
  readonly ownerOfRule: (immutableId: string) => WorkspaceId | undefined;
  /** Bytes of a call on the wire. */
  readonly maxBytes: number;
  /** Bytes of a body once inflated. */
  readonly maxInflatedBytes: number;
  /** Milliseconds for the whole body to arrive. */
  readonly bodyTimeoutMs: number;
}

export const logsIngestionPlugin: Plugin<LogsIngestionOptions> = {
  name: 'logs-ingestion',
  register(server, options) {
    const { accept, maxBytes, maxInflatedBytes, bodyTimeoutMs } = options;

    const take: Lifecycle.Method = async (request, h) => {
      const { agent } = request.auth.credentials;
      if (!agent) throw new RelayError('relay.internal', 'A call was let in without an agent.');
      const { workspaceId, agentId } = agent;
      const { stream, logType } = mustBeStream(request, workspaceId, options);
      const encoding = encodingOf(request);
      const body = await readBody(request, { maxBytes: MAX_READ_BYTES, timeoutMs: bodyTimeoutMs });
      if (body.length > maxBytes) throw new RelayError('relay.intake.too-large', tooLongMessage(maxBytes, body.length));
      const rows = await mustBeRows(await inflateBody(body, encoding, maxInflatedBytes), { allowsSingle: false });
      if (rows > 0) {
        const headers = { 'log-type': logType, [STREAM_HEADER]: stream };
        const origin = { protocol: 'operational-data', service: 'operational-data', encoding, headers } as const;
        await accept.accept({ workspaceId, agentId, dataType: logType, solution: 'CustomLog', origin, body });
      }
      return h.response().code(204);
    };

    server.route({ method: 'POST', path: INGESTION_PATH, handler: take, options: { auth: 'sender', payload: STREAMED, app: refusingBy(writeRefusal) } });
  },
};

function mustBeStream(
  request: Request,
  workspaceId: WorkspaceId,
  { ownerOfRule }: LogsIngestionOptions,
): { readonly stream: string; readonly logType: string } {
  const version: unknown = request.query['api-version'];
  if (version === undefined) throw new RelayError('relay.intake.no-api-version', 'The query has no api-version.');
  if (!INGESTION_VERSIONS.includes(String(version)))
    throw new RelayError('relay.intake.bad-api-version', `api-version is none of ${INGESTION_VERSIONS.join(', ')}.`);
  const { immutableId, stream } = request.params as { immutableId: string; stream: string };
  if (!IMMUTABLE_ID.test(immutableId))
    throw new RelayError(
      'relay.intake.unknown-rule',
      `Data collection rule with immutable Id '${immutableId.slice(0, 80)}' not found. An immutable id is dcr- and 32 hexadecimal digits, not the rule's name.`,
    );
  const owner = ownerOfRule(immutableId);
  if (owner !== undefined && owner !== workspaceId)
    throw new RelayError(
      'relay.sender.not-its-rule',
      `The authentication token provided does not have access to ingest data for the data collection rule with immutable Id '${immutableId}'.`,
    );
  const logType = STREAM.exec(stream)?.[1]?.replace(/_CL$/i, '').replaceAll('-', '_');
  if (logType === undefined || logType.length < 2)
    throw new RelayError(
      'relay.intake.unknown-stream',
      `Stream '${stream.slice(0, 120)}' not found: it is no name such as Custom-Table_CL or Microsoft-Syslog.`,
    );
  if (contentTypeOf(request) !== 'application/json') throw new RelayError('relay.intake.bad-content-type', 'Content-Type is not application/json.');
  return { stream, logType };
}

function encodingOf(request: Request): 'gzip' | 'identity' {
  const encoding = (headerOf(request, 'content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding === 'gzip' || encoding === 'identity') return encoding;
  throw new RelayError('relay.intake.unknown-encoding', `Content-Encoding "${encoding.slice(0, 40)}" is not gzip.`);
}

/** Status and word as the service gives them; where its words are not documented, those of its public stand-ins. */
export const LOGS_INGESTION_WORDS: ProtocolWords = new Map<ErrorCode, readonly [number, string]>([
  ['relay.sender.no-credentials', [401, 'AuthenticationFailed']],
  ['relay.sender.bad-credentials', [401, 'AuthenticationFailed']],
  ['relay.sender.bad-token', [401, 'AuthenticationFailed']],
  ['relay.sender.not-its-rule', [403, 'OperationFailed']],
  ['relay.agent.pending', [403, 'OperationFailed']],
  ['relay.agent.suspended', [403, 'OperationFailed']],
  ['relay.agent.unknown-certificate', [403, 'OperationFailed']],
  ['relay.agent.certificate-expired', [403, 'OperationFailed']],
  ['relay.agent.certificate-replaced', [403, 'OperationFailed']],
  ['relay.intake.no-api-version', [400, 'MissingApiVersionParameter']],
  ['relay.intake.bad-api-version', [400, 'InvalidApiVersionParameter']],
  ['relay.intake.unknown-rule', [404, 'NotFound']],
  ['relay.intake.unknown-stream', [404, 'NotFound']],
  ['relay.intake.bad-content-type', [400, 'InvalidContentType']],
  ['relay.intake.unknown-encoding', [400, 'InvalidContentEncoding']],
  ['relay.intake.bad-encoding', [400, 'InvalidPayload']],
  ['relay.intake.bad-json', [400, 'InvalidPayload']],
  ['relay.intake.bad-request', [400, 'InvalidPayload']],
  ['relay.intake.too-large', [413, 'ContentLengthLimitExceeded']],
  ['relay.enrolment.too-many-attempts', [429, 'TooManyRequests']],
  ['relay.internal', [500, 'InternalServerError']],
  ['relay.cache.full', [503, 'ServiceUnavailable']],
  ['relay.cache.unavailable', [503, 'ServiceUnavailable']],
]);

/** A refusal as the Logs Ingestion API words it: `{"error":{"code":…,"message":…}}`, the code in a header too. */
export const writeRefusal: RefusalWriter = ({ code, status, message, host }) => {
  const [documented, word] = LOGS_INGESTION_WORDS.get(code) ?? [status, status === 503 ? 'ServiceUnavailable' : 'InternalServerError'];
  const challenge = documented === 401 ? { 'www-authenticate': bearerChallenge(host, TENANT, code !== 'relay.sender.no-credentials') } : {};
  return { status: documented, body: { error: { code: word, message } }, headers: { 'x-ms-error-code': word, ...challenge } };
};
