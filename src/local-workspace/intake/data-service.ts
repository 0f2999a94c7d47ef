import { randomFillSync } from 'node:crypto';
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import type { ContentEncoding } from '../../batch/batch.ts';
import { createBatchId } from '../../batch/batch-id.ts';
import type { Clock } from '../../clock.ts';
import { CUSTOM_RECORDS_VERSION, DIAGNOSTICS_PATH, UPLOAD_PATH } from '../../oms-protocol/paths.ts';
import { AGENT_ID_HEADER, BATCH_ID_HEADER } from '../../oms-protocol/upload-headers.ts';
import { readAgentId } from '../../workspace/workspace-id.ts';
import { authenticate, type HostedWorkspaces, type Known } from '../hosted-workspace.ts';
import { type Refusal, refuse } from '../replies.ts';
import { checkDigest } from './content-digest.ts';
import type { PeerOf } from './peer.ts';
import type { Upload, UploadContent } from './upload.ts';

/** Largest body taken on the wire, in bytes. */
export const MAX_BODY_BYTES: number = 40 * 1024 * 1024;

const BODY_TIMEOUT_MS = 120_000;
const ENCODINGS = ['identity', 'deflate', 'gzip'] as const;
// §3.5: what agents drop data for, if it does not fit.
const LOG_TYPE = /^[A-Za-z][A-Za-z0-9_]{1,100}$/;
const BATCH_ID = /^[\w.:-]{1,128}$/;
const FIELD_NAME = /^[\x20-\x7e]{1,128}$/;

export interface DataServiceDeps {
  readonly workspaces: HostedWorkspaces;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
}

/** The service that takes data: uploads, custom records and diagnostics. 200 means: on stable storage. */
export function dataService(deps: DataServiceDeps): Plugin<void> {
  const take: Lifecycle.Method = async (request, h) => {
    const receivedAt = deps.clock.now();
    const found = authenticate(deps.workspaces, deps.peerOf(request.raw.req), receivedAt);
    if (!found.known) return refuse(h, request.path, found.refusal);
    const upload = readUpload(request, found, receivedAt);
    if ('refusal' in upload) return refuse(h, request.path, upload.refusal);
    const taken = await found.workspace.intake.take(upload);
    return taken.outcome === 'refused' ? refuse(h, request.path, taken.refusal) : h.response('').code(200);
  };

  const payload = { parse: false, output: 'data', maxBytes: MAX_BODY_BYTES, timeout: BODY_TIMEOUT_MS, override: 'application/octet-stream' } as const;
  return {
    name: 'data-service',
    register(server) {
      server.route([UPLOAD_PATH, DIAGNOSTICS_PATH].map((path) => ({ method: 'POST', path, options: { payload }, handler: take })));
    },
  };
}

function readUpload(request: Request, sender: Known, receivedAt: number): Upload | { readonly refusal: Refusal } {
  const encoding = readEncoding(header(request, 'content-encoding'));
  if (!encoding) return refusal(415, 'UnsupportedEncoding', 'Content-Encoding is not identity, deflate or gzip.');
  const batchId = header(request, BATCH_ID_HEADER) ?? createBatchId(receivedAt, randomFillSync);
  if (!BATCH_ID.test(batchId)) return refusal(400, 'InvalidBatchId', `${BATCH_ID_HEADER} is not 1 to 128 letters, digits, dots, colons and dashes.`);
  const agentId = readAgentId(header(request, AGENT_ID_HEADER) ?? sender.agentId);
  if (!agentId) return refusal(400, 'InvalidAgentId', `${AGENT_ID_HEADER} is not a GUID.`);
  // Only who carries the data of others, by a registration of its own, may name them.
  if (sender.by === 'authority' && agentId !== sender.agentId) return refusal(403, 'AgentMismatch', `${AGENT_ID_HEADER} is not the agent of the certificate.`);
  const content = readContent(request);
  if ('refusal' in content) return content;
  const body = Buffer.isBuffer(request.payload) ? request.payload : Buffer.alloc(0);
  const mismatch = checkDigest(request.headers, body);
  if (mismatch) return { refusal: mismatch };
  return { batchId, agentId, senderId: sender.agentId, receivedAt, content, encoding, body };
}

function readContent(request: Request): UploadContent | { readonly refusal: Refusal } {
  if (request.route.path === DIAGNOSTICS_PATH) return { shape: 'diagnostics' };
  const { 'api-version': version } = request.query as Record<string, unknown>;
  if (version === undefined) return { shape: 'envelope' };
  if (version !== CUSTOM_RECORDS_VERSION) return refusal(400, 'UnsupportedApiVersion', `api-version is not ${CUSTOM_RECORDS_VERSION}.`);
  const logType = header(request, 'log-type') ?? '';
  if (!LOG_TYPE.test(logType)) return refusal(400, 'InvalidLogType', 'Log-Type is not a letter followed by 1 to 100 letters, digits and underscores.');
  const timeField = header(request, 'time-generated-field');
  if (timeField !== undefined && !FIELD_NAME.test(timeField)) return refusal(400, 'InvalidTimeField', 'time-generated-field is not a field name.');
  return { shape: 'custom', logType, timeField };
}

function readEncoding(text = 'identity'): ContentEncoding | undefined {
  return ENCODINGS.find((encoding) => encoding === text.trim().toLowerCase());
}

function header(request: Request, name: string): string | undefined {
  const value: unknown = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function refusal(status: number, code: string, message: string): { readonly refusal: Refusal } {
  return { refusal: { status, code, message } };
}
