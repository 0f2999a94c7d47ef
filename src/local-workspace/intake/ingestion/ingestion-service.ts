import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import type { Clock } from '../../../clock.ts';
import { bearerChallenge, INGESTION_PATH, INGESTION_VERSIONS, MAX_CALL_BYTES, tooLongMessage } from '../../../ingestion-protocol/service.ts';
import type { HostedWorkspaces } from '../../hosted-workspace.ts';
import { type Refusal, refuse } from '../../replies.ts';
import { checkDigest } from '../content-digest.ts';
import type { Call } from './call.ts';
import type { DeclaredStream } from './declaration.ts';
import type { Directory, Rule } from './directory.ts';
import type { Tokens } from './tokens.ts';

/** Read before a body is refused for its size, so that the refusal reaches who sends it. */
const MAX_READ_BYTES = 64 * 1024 * 1024;
const BODY_TIMEOUT_MS = 120_000;
const BEARER = /^Bearer\s+([\w.~+/-]+=*)$/i;

export interface IngestionServiceDeps {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly workspaces: HostedWorkspaces;
  readonly clock: Clock;
}

type Refused = { readonly refusal: Refusal; readonly headers?: Readonly<Record<string, string>> };

/** The stand-in for the Logs Ingestion API. 204 means: on stable storage. */
export function ingestionService(deps: IngestionServiceDeps): Plugin<void> {
  const take: Lifecycle.Method = async (request, h) => {
    const call = readCall(deps, request);
    const refused = 'refusal' in call ? call : await keep(deps, call);
    if (!refused) return h.response().code(204);
    const response = refuse(h, request.path, refused.refusal);
    for (const [name, value] of Object.entries(refused.headers ?? {})) response.header(name, value);
    return response;
  };

  const payload = { parse: false, output: 'data', maxBytes: MAX_READ_BYTES, timeout: BODY_TIMEOUT_MS, override: 'application/octet-stream' } as const;
  return {
    name: 'ingestion-service',
    register(server) {
      server.route({ method: 'POST', path: INGESTION_PATH, options: { payload }, handler: take });
    },
  };
}

async function keep({ workspaces }: IngestionServiceDeps, call: Call): Promise<Refused | undefined> {
  const refusal = await workspaces.get(call.rule.workspace)?.tables.take(call);
  return refusal && { refusal };
}

function readCall(deps: IngestionServiceDeps, request: Request): Call | Refused {
  const receivedAt = deps.clock.now();
  const signedIn = authenticate(deps, request, receivedAt);
  if ('refusal' in signedIn) return signedIn;
  const found = findStream(deps.directory, request, signedIn.clientId);
  if ('refusal' in found) return found;
  const body = Buffer.isBuffer(request.payload) ? request.payload : Buffer.alloc(0);
  const spent = found.rule.budget.spend(body.length, receivedAt);
  if (!spent.within) return tooMany(found.rule, spent.retryAfterS);
  const encoding = header(request, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  const refusal = checkBody(request, encoding, body);
  if (refusal) return { refusal };
  const requestId = header(request, 'x-ms-client-request-id') ?? '';
  return { ...found, clientId: signedIn.clientId, requestId, receivedAt, isGzip: encoding === 'gzip', body };
}

function authenticate({ directory, tokens }: IngestionServiceDeps, request: Request, now: number): { readonly clientId: string } | Refused {
  const { audience, tenantId } = directory.declaration();
  const token = BEARER.exec(header(request, 'authorization') ?? '')?.[1];
  const checked = token ? tokens.check(token, audience, now) : ({ valid: false, reason: 'Authorization holds no Bearer token.' } as const);
  if (checked.valid) return checked;
  const challenge = bearerChallenge(request.info.host, tenantId, token !== undefined);
  return { refusal: { status: 401, code: 'AuthenticationFailed', message: checked.reason }, headers: { 'www-authenticate': challenge } };
}

interface FoundStream {
  readonly rule: Rule;
  readonly streamName: string;
  readonly stream: DeclaredStream;
}

function findStream(directory: Directory, request: Request, clientId: string): FoundStream | Refused {
  const { immutableId, stream: streamName } = request.params as { immutableId: string; stream: string };
  const { 'api-version': version } = request.query as Record<string, unknown>;
  if (version === undefined) return refused(400, 'MissingApiVersionParameter', 'The query has no api-version.');
  if (!INGESTION_VERSIONS.includes(String(version)))
    return refused(400, 'InvalidApiVersionParameter', `api-version is none of ${INGESTION_VERSIONS.join(', ')}.`);
  const rule = directory.rule(immutableId);
  if (!rule) return refused(404, 'NotFound', `Data collection rule with immutable Id '${immutableId}' not found.`);
  if (!rule.allowedApps.includes(clientId)) return forbidden(rule);
  const stream = Object.hasOwn(rule.streams, streamName) ? rule.streams[streamName] : undefined;
  if (!stream) return refused(404, 'NotFound', `Stream '${streamName}' not found in data collection rule '${immutableId}'.`);
  return { rule, streamName, stream };
}

function forbidden({ immutableId }: Rule): Refused {
  const checks = 'PipelineAccessResult: AuthorizationFailed, IsDcrDceBindingValid: True';
  return refused(
    403,
    'OperationFailed',
    `The authentication token provided does not have access to ingest data for the data collection rule with immutable Id '${immutableId}' ${checks}.`,
  );
}

function tooMany({ immutableId, requestsPerMinute, bytesPerMinute }: Rule, retryAfterS: number): Refused {
  const message = `Rule ${immutableId} takes ${requestsPerMinute} requests and ${bytesPerMinute} bytes a minute. Come again in ${retryAfterS} s.`;
  return { refusal: { status: 429, code: 'TooManyRequests', message }, headers: { 'retry-after': String(retryAfterS) } };
}

function checkBody(request: Request, encoding: string, body: Buffer): Refusal | undefined {
  const type = header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') return { status: 400, code: 'InvalidContentType', message: 'Content-Type is not application/json.' };
  if (encoding !== 'gzip' && encoding !== 'identity') return { status: 400, code: 'InvalidContentEncoding', message: 'Content-Encoding is not gzip.' };
  if (body.length > MAX_CALL_BYTES) {
    return { status: 413, code: 'ContentLengthLimitExceeded', message: tooLongMessage(MAX_CALL_BYTES, body.length) };
  }
  // Microsoft's own tests met this: no code, no word.
  return body.length === 0 ? { status: 500, code: '', message: '' } : checkDigest(request.headers, body);
}

function header(request: Request, name: string): string | undefined {
  const value: unknown = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function refused(status: number, code: string, message: string): Refused {
  return { refusal: { status, code, message } };
}
