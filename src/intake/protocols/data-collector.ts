/**
 * hapi plugin: the HTTP Data Collector API, so that senders of the retired service go on unchanged. It only translates: a signed request →
 * a batch of custom records.
 */
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import type { ContentEncoding } from '../../batch/batch.ts';
import type { Clock } from '../../clock.ts';
import { type ErrorCode, RelayError } from '../../errors.ts';
import type { Agent } from '../../management-group/agent.ts';
import type { ManagementGroup } from '../../management-group/management-group.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Accept } from '../accept.ts';
import { mustBeApproved } from '../client-certificate.ts';
import { inflateBody } from '../inflate.ts';
import { mustBeRows } from '../json-rows.ts';
import type { ProtocolWords } from '../protocol-words.ts';
import { readBody, STREAMED } from '../read-body.ts';
import { type RefusalWriter, refusingBy } from '../refusal-writer.ts';
import { contentEncodingOf, contentTypeOf, headerOf } from '../request-headers.ts';
import { type BadCredentials, refusedBy } from '../sender-sign-in.ts';
import { isSignedWith, readSharedKey } from './shared-key.ts';

const API_PATH = '/api/logs';
const API_VERSION = '2016-04-01';
/** The service's own limit. */
export const MAX_POST_BYTES: number = 30 * 1024 * 1024;
// Letters, digits, underscores, 100 at most; the tables behind it want a letter first.
const LOG_TYPE = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;
const MAX_FIELD_CHARACTERS = 128;
const MAX_RESOURCE_CHARACTERS = 1_024;

export interface DataCollectorOptions {
  readonly accept: Accept;
  readonly group: Pick<ManagementGroup, 'registry' | 'senders'>;
  /** Whether a workspace is configured on this relay. */
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  readonly attempts: BadCredentials;
  /** Bytes of a body, as sent and once inflated. */
  readonly maxBytes: number;
  /** Milliseconds for the whole body to arrive. */
  readonly bodyTimeoutMs: number;
  /** Milliseconds that a sender's clock may be off. */
  readonly clockSkewMs: number;
  readonly clock: Clock;
}

interface Posted {
  readonly body: Buffer;
  readonly plain: Buffer;
  readonly encoding: ContentEncoding;
}

export const dataCollectorPlugin: Plugin<DataCollectorOptions> = {
  name: 'data-collector',
  register(server, options) {
    const { accept, group, maxBytes, bodyTimeoutMs } = options;

    const take: Lifecycle.Method = async (request, h) => {
      mustBeOfThisApi(request);
      const encoding = contentEncodingOf(request);
      const body = await readBody(request, { maxBytes, timeoutMs: bodyTimeoutMs });
      const posted: Posted = { body, encoding, plain: await inflateBody(body, encoding, maxBytes) };
      const agent = mustBeSigned(request, posted, options);
      request.auth.credentials = { agent };
      group.registry.touch(agent);
      const headers = dataHeadersOf(request);
      await mustBeRows(posted.plain, { allowsSingle: true });
      const { workspaceId, agentId } = agent;
      const origin = { protocol: 'operational-data', service: 'operational-data', encoding, headers } as const;
      await accept.accept({ workspaceId, agentId, dataType: headers['log-type'], solution: 'CustomLog', origin, body });
      return h.response('').code(200);
    };

    server.route({ method: 'POST', path: API_PATH, handler: take, options: { auth: false, payload: STREAMED, app: refusingBy(writeRefusal) } });
  },
};

function mustBeOfThisApi(request: Request): void {
  const version: unknown = request.query['api-version'];
  if (version === undefined) throw new RelayError('relay.intake.no-api-version', `The query has no api-version. Send api-version=${API_VERSION}.`);
  if (version !== API_VERSION) throw new RelayError('relay.intake.bad-api-version', `The api-version is not ${API_VERSION}.`);
  const type = contentTypeOf(request);
  if (type === '') throw new RelayError('relay.intake.no-content-type', 'The request has no Content-Type. Send application/json.');
  if (type !== 'application/json') throw new RelayError('relay.intake.bad-content-type', `Content-Type "${type.slice(0, 60)}" is not application/json.`);
}

function mustBeSigned(request: Request, { body, plain, encoding }: Posted, { group, serves, attempts, clockSkewMs, clock }: DataCollectorOptions): Agent {
  const refuse = (message: string): never => {
    throw refusedBy(request, attempts, new RelayError('relay.sender.bad-signature', message));
  };
  const key = readSharedKey(headerOf(request, 'authorization'));
  if (key.outcome === 'no-workspace')
    throw new RelayError('relay.sender.bad-workspace', `"${key.found}" in the Authorization header is not the GUID of a workspace.`);
  if (key.outcome === 'unreadable') return refuse('The Authorization header is not: SharedKey <workspace id>:<signature>.');
  const date = headerOf(request, 'x-ms-date') ?? '';
  const off = Math.abs(clock.now() - Date.parse(date));
  if (!(off <= clockSkewMs))
    return refuse(date === '' ? 'The request has no x-ms-date.' : `x-ms-date "${date.slice(0, 60)}" is too far from this relay's clock.`);
  // Whether the service counts a compressed body's own bytes is not documented: some senders do, some do not.
  const lengths = encoding === 'identity' ? [body.length] : [body.length, plain.length];
  const sender = group.senders.find(key.workspaceId, (secret) => isSignedWith(secret, { lengths, date, signature: key.signature }));
  if (!sender) return refuse('An invalid signature was specified in the Authorization header.');
  if (!serves(key.workspaceId)) throw new RelayError('relay.sender.workspace-gone', `Workspace ${key.workspaceId} is not configured on this relay any more.`);
  return mustBeApproved(sender.agent);
}

// Those that this API has, and no others: they go on with the data.
function dataHeadersOf(request: Request): { readonly 'log-type': string } & Readonly<Record<string, string>> {
  const logType = headerOf(request, 'log-type');
  if (logType === undefined) throw new RelayError('relay.intake.no-log-type', 'The request has no Log-Type.');
  if (!LOG_TYPE.test(logType)) throw new RelayError('relay.intake.bad-log-type', 'Log-Type is not a letter and up to 99 more letters, digits or underscores.');
  const timeField = headerOf(request, 'time-generated-field');
  const resource = headerOf(request, 'x-ms-azureresourceid');
  return {
    'log-type': logType,
    ...(timeField !== undefined && timeField.length <= MAX_FIELD_CHARACTERS ? { 'time-generated-field': timeField } : {}),
    ...(resource !== undefined && resource.length <= MAX_RESOURCE_CHARACTERS ? { 'x-ms-azureresourceid': resource } : {}),
  };
}

/** Status and word of the API's documentation. */
export const DATA_COLLECTOR_WORDS: ProtocolWords = new Map<ErrorCode, readonly [number, string]>([
  ['relay.intake.no-api-version', [400, 'MissingApiVersion']],
  ['relay.intake.bad-api-version', [400, 'InvalidApiVersion']],
  ['relay.intake.no-content-type', [400, 'MissingContentType']],
  ['relay.intake.bad-content-type', [400, 'UnsupportedContentType']],
  ['relay.intake.no-log-type', [400, 'MissingLogType']],
  ['relay.intake.bad-log-type', [400, 'InvalidLogType']],
  ['relay.intake.bad-json', [400, 'InvalidDataFormat']],
  ['relay.intake.bad-encoding', [400, 'InvalidDataFormat']],
  ['relay.intake.unknown-encoding', [400, 'InvalidDataFormat']],
  ['relay.intake.bad-request', [400, 'InvalidDataFormat']],
  ['relay.sender.bad-workspace', [400, 'InvalidCustomerId']],
  ['relay.sender.workspace-gone', [400, 'InactiveCustomer']],
  ['relay.sender.bad-signature', [403, 'InvalidAuthorization']],
  ['relay.agent.pending', [403, 'InvalidAuthorization']],
  ['relay.agent.suspended', [403, 'InvalidAuthorization']],
  ['relay.intake.too-large', [404, 'NotFound']],
  ['relay.enrolment.too-many-attempts', [429, 'TooManyRequests']],
  ['relay.internal', [500, 'UnspecifiedError']],
  ['relay.cache.full', [503, 'ServiceUnavailable']],
  ['relay.cache.unavailable', [503, 'ServiceUnavailable']],
]);

/** A refusal as the Data Collector API words it: `{"Error":…,"Message":…}`. */
export const writeRefusal: RefusalWriter = ({ code, status, message }) => {
  const [documented, word] = DATA_COLLECTOR_WORDS.get(code) ?? [status, status === 503 ? 'ServiceUnavailable' : 'UnspecifiedError'];
  return { status: documented, body: { Error: word, Message: message } };
};
