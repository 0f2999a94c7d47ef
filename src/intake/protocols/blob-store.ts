import { randomUUID } from 'node:crypto';
import type { Agent } from '../../management-group/agent.ts';
import { equalInConstantTime } from '../../oms-protocol/signature.ts';

/** All blocks that wait for their list, together, in bytes. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_ADDRESSES = 10_000;

/** An upload address that was handed out. */
export interface Blob {
  readonly id: string;
  readonly secret: string;
  readonly agent: Pick<Agent, 'workspaceId' | 'agentId'>;
  readonly logType: string;
}

/** Blocks between their upload and their list: in memory, bounded, gone with the address. An agent whose blocks are gone sends them again. */
export interface BlobStore {
  open(wanted: Omit<Blob, 'id'>): Blob;
  find(id: string, secret: string): Blob | undefined;
  /** False when there is no room. */
  put(blob: Blob, blockId: string, block: Buffer): boolean;
  /** Takes the blocks named, in order, out of the store; names it does not know are left out. */
  take(blob: Blob, blockIds: readonly string[]): Buffer;
}

interface Entry {
  readonly blob: Blob;
  readonly expiresAt: number;
  readonly blocks: Map<string, Buffer>;
}

export function createBlobStore(settings: { readonly addressLifeMs: number; readonly now: () => number }): BlobStore {
  const entries = new Map<string, Entry>();
  let waitingBytes = 0;

  const empty = (entry: Entry): void => {
    for (const block of entry.blocks.values()) waitingBytes -= block.length;
    entry.blocks.clear();
  };
  const expire = (): void => {
    // Insertion order is the order of expiry.
    for (const entry of entries.values()) {
      if (entry.expiresAt > settings.now() && entries.size < MAX_ADDRESSES) return;
      empty(entry);
      entries.delete(entry.blob.id);
    }
  };

  return {
    open(wanted) {
      expire();
      const blob = { ...wanted, id: randomUUID() };
      entries.set(blob.id, { blob, expiresAt: settings.now() + settings.addressLifeMs, blocks: new Map() });
      return blob;
    },
    find(id, secret) {
      expire();
      const entry = entries.get(id);
      return entry && equalInConstantTime(entry.blob.secret, secret) ? entry.blob : undefined;
    },
    put(blob, blockId, block) {
      const entry = entries.get(blob.id);
      const before = entry?.blocks.get(blockId)?.length ?? 0;
      if (!entry || waitingBytes - before + block.length > MAX_WAITING_BYTES) return false;
      waitingBytes += block.length - before;
      entry.blocks.set(blockId, block);
      return true;
    },
    take(blob, blockIds) {
      const entry = entries.get(blob.id);
      if (!entry) return Buffer.alloc(0);
      const blocks = blockIds.flatMap((id) => entry.blocks.get(id) ?? []);
      empty(entry);
      return Buffer.concat(blocks);
    },
  };
}
