/**
 * hapi plugin: custom log files (wire protocol §3.7). The agent asks for an address, puts blocks of text there, puts the list of blocks, and
 * notifies. The relay hands out its own address and keeps the blocks; with the list, their lines become custom records of the table that
 * the log file belongs to. That list is what counts: before it is answered the records are kept as durably as any batch.
 */
import { randomBytes } from 'node:crypto';
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';
import type { Agent } from '../../management-group/agent.ts';
import { BLOB_ADDRESS_PATH, BLOB_NOTIFICATION_PATH } from '../../oms-protocol/paths.ts';
import { child, readXml } from '../../oms-protocol/xml.ts';
import type { Accept } from '../accept.ts';
import { readBody, STREAMED } from '../read-body.ts';
import { type Blob, type BlobStore, createBlobStore } from './blob-store.ts';
import { recordsOf } from './log-lines.ts';

const MAX_REQUEST_BYTES = 64 * 1024;
const HOST = /^[a-z0-9.:[\]-]{1,255}$/i;

export interface CustomLogFilesOptions {
  readonly accept: Accept;
  /** Whether an agent may send at this moment: an address outlives a suspension. */
  readonly maySend: (agent: Pick<Agent, 'workspaceId' | 'agentId'>) => boolean;
  readonly clock: Clock;
  /** How long an address is good, in milliseconds. */
  readonly addressLifeMs: number;
  /** Largest block, in bytes. */
  readonly maxBlockBytes: number;
  readonly bodyTimeoutMs: number;
}

export const customLogFilesPlugin: Plugin<CustomLogFilesOptions> = {
  name: 'custom-log-files',
  register(server, options) {
    const { accept, clock } = options;
    const blobs = createBlobStore({ addressLifeMs: options.addressLifeMs, now: clock.now });

    const giveAddress: Lifecycle.Method = (request) => {
      const asked = readJson(request);
      const name = logNameOf(asked);
      const { agent } = request.auth.credentials;
      if (!agent || !name) throw new RelayError('relay.intake.bad-request', 'GetBlobUploadUri needs DataTypeId, such as CUSTOM_LOG_BLOB.Demo_CL.');
      const { id, secret } = blobs.open({ agent: pick(agent), logType: name, secret: randomBytes(32).toString('hex') });
      return { Uri: `https://${hostOf(request)}/blobs/${id}?sig=${secret}`, CommittedBlockList: null, Size: 0 };
    };

    const put: Lifecycle.Method = async (request, h) => {
      // Before the body is read: nobody without an address fills the memory.
      const blob = blobOf(request, blobs);
      if (!options.maySend(blob.agent))
        throw new RelayError(
          'relay.agent.suspended',
          `Agent ${blob.agent.agentId} may not send to this address any more: it was suspended, removed or moved. Ask for a new one with GetBlobUploadUri.`,
        );
      const part: unknown = request.query['comp'];
      const body = await readBody(request, { maxBytes: options.maxBlockBytes, timeoutMs: options.bodyTimeoutMs });
      if (part === 'block') putBlock(request, body, blob, blobs);
      else if (part === 'blocklist') await commit(request, body, blob);
      else throw new RelayError('relay.intake.bad-request', 'A blob is put as comp=block or comp=blocklist.');
      return h.response().code(201).header('etag', `"${blob.id}"`);
    };

    const commit = async (request: Request, list: Buffer, blob: Blob): Promise<void> => {
      const ids = blockListOf(list);
      if (!ids) throw new RelayError('relay.intake.bad-request', 'The block list is not a BlockList document.');
      const file = String((request.headers['x-ms-meta-filepath'] as unknown) ?? '').slice(0, 1024);
      const computer = String((request.headers['x-ms-meta-computername'] as unknown) ?? '').slice(0, 255);
      const text = blobs.read(blob, ids);
      // An agent that lost our answer puts the list again.
      if (!text && blobs.isCommitted(blob)) return;
      if (!text) throw new RelayError('relay.intake.bad-request', 'The block list names a block that is not here. Put its blocks again, then the list.');
      for (const body of recordsOf(text, { file, computer })) {
        await accept.accept({
          ...blob.agent,
          dataType: blob.logType,
          solution: 'CustomLog',
          origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: { 'log-type': blob.logType } },
          body,
        });
      }
      // Only now: an agent that was told to come back finds its blocks.
      blobs.commit(blob);
    };

    const json = { parse: false, output: 'data' as const, override: 'application/octet-stream', maxBytes: MAX_REQUEST_BYTES };
    server.route([
      { method: 'POST', path: BLOB_ADDRESS_PATH, handler: giveAddress, options: { payload: json } },
      { method: 'POST', path: BLOB_NOTIFICATION_PATH, handler: (_request, h) => h.response().code(200), options: { payload: json } },
      // The agent puts blobs without its certificate: the address itself is the credential.
      { method: 'PUT', path: '/blobs/{id}', handler: put, options: { auth: false, payload: STREAMED } },
    ]);
  },
};

function putBlock(request: Request, body: Buffer, blob: Blob, blobs: BlobStore): void {
  const blockId: unknown = request.query['blockid'];
  if (typeof blockId !== 'string' || blockId.length === 0 || blockId.length > 128)
    throw new RelayError('relay.intake.bad-request', 'A block needs a blockid of 1 to 128 characters.');
  if (!blobs.put(blob, blockId, body)) {
    throw new RelayError('relay.cache.full', 'Too many blocks wait for their list. The block was not kept; send it again.');
  }
}

function blobOf(request: Request, blobs: BlobStore): Blob {
  const { id } = request.params as { id: string };
  const secret: unknown = request.query['sig'];
  const blob = blobs.find(id, typeof secret === 'string' ? secret : '');
  if (!blob) throw new RelayError('relay.blob.bad-address', 'This upload address is unknown or too old. Ask for a new one with GetBlobUploadUri.');
  return blob;
}

// Every id of the list: those committed before belong to another address, whose text has gone already.
function blockListOf(body: Buffer): string[] | undefined {
  const root = readXml(body.toString('utf8'));
  if (root?.name !== 'BlockList') return undefined;
  const ids = root.children.map((element) => element.text.trim());
  return child(root, 'Uncommitted') || ids.length > 0 ? ids : undefined;
}

// `CUSTOM_LOG_BLOB.Demo_CL` is the table Demo_CL; the service adds _CL to a Log-Type by itself.
function logNameOf(asked: Record<string, unknown>): string | undefined {
  const name = /^[A-Za-z_]+\.([A-Za-z][A-Za-z0-9_]{1,100}?)(?:_CL)?$/.exec(String(asked['DataTypeId'] ?? ''));
  return name?.[1];
}

function readJson(request: Request): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse((request.payload as Buffer).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function hostOf(request: Request): string {
  if (HOST.test(request.info.host)) return request.info.host;
  throw new RelayError('relay.intake.bad-request', 'The request names no host.');
}

function pick(agent: Agent): Pick<Agent, 'workspaceId' | 'agentId'> {
  return { workspaceId: agent.workspaceId, agentId: agent.agentId };
}
