/**
 * A batch as stored bytes, sealed. Plain layout, version 1: version (1 byte) · length of the description (4, big-endian) ·
 * description (JSON) · body. A new layout gets a new version; the one before stays readable.
 */

import { RelayError } from '../errors.ts';
import type { Format } from '../format.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import { open, seal } from '../workspace/seal.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Batch } from './batch.ts';
import type { BatchId } from './batch-id.ts';
import type { Kind } from './kind.ts';

const VERSION = 1;

/** The layout under the seal. */
export const ENVELOPE_FORMAT: Format = { reads: [VERSION], writes: VERSION };

const PREFIX_BYTES = 5;

/** What must be known of a batch from outside to open it; it is authenticated with the sealed bytes. */
export interface EnvelopeContext {
  readonly workspaceId: WorkspaceId;
  readonly kind: Kind;
  readonly agentId: AgentId;
  readonly id: BatchId;
}

type Description = Omit<Batch, 'body' | keyof EnvelopeContext>;

/** Seals a batch with its workspace's current key. The chunks, one after another, are the envelope. */
export function sealBatch(batch: Batch, keys: KeyRing): Buffer[] {
  const key = keys.workspaceKey(batch.workspaceId, keys.currentKeyId);
  if (!key) throw new RelayError('relay.keys.unusable', `The key ring has lost its current key ${keys.currentKeyId}.`);
  const { dataType, solution, receivedAt, origin } = batch;
  const description = Buffer.from(JSON.stringify({ dataType, solution, receivedAt, origin } satisfies Description));
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.writeUInt8(VERSION, 0);
  prefix.writeUInt32BE(description.length, 1);
  return seal([prefix, description, batch.body], key, keys.currentKeyId, contextOf(batch));
}

/** Opens an envelope. Throws `relay.seal.cannot-open`, or `relay.batch.unknown-version` for a layout from a newer relay. */
export function openBatch(sealed: Buffer, context: EnvelopeContext, keys: KeyRing): Batch {
  const plain = open(sealed, (keyId) => keys.workspaceKey(context.workspaceId, keyId), contextOf(context));
  if (plain.readUInt8(0) !== VERSION) {
    throw new RelayError(
      'relay.batch.unknown-version',
      `Batch ${context.id} is stored in layout ${plain.readUInt8(0)}, this relay reads ${VERSION}. Run the newer release that wrote it.`,
    );
  }
  const bodyStart = PREFIX_BYTES + plain.readUInt32BE(1);
  const description = JSON.parse(plain.toString('utf8', PREFIX_BYTES, bodyStart)) as Description;
  const { workspaceId, kind, agentId, id } = context;
  return { workspaceId, kind, agentId, id, ...description, body: plain.subarray(bodyStart) };
}

function contextOf(context: EnvelopeContext): string {
  return `relay batch v${VERSION} ${context.workspaceId} ${context.kind} ${context.agentId} ${context.id}`;
}
