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
  /** The blocks named, in order, one after the other; undefined when one of them is not here. */
  read(blob: Blob, blockIds: readonly string[]): Buffer | undefined;
  /** Whether `commit` was called: then its blocks are gone because they were kept elsewhere. */
  isCommitted(blob: Blob): boolean;
  /** Lets go of the blocks. */
  commit(blob: Blob): void;
}

interface Entry {
  readonly blob: Blob;
  readonly expiresAt: number;
  readonly blocks: Map<string, Buffer>;
  committed: boolean;
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
      entries.set(blob.id, { blob, expiresAt: settings.now() + settings.addressLifeMs, blocks: new Map(), committed: false });
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
      entry.committed = false;
      return true;
    },
    read(blob, blockIds) {
      const blocks = entries.get(blob.id)?.blocks;
      const named = blockIds.map((id) => blocks?.get(id));
      return named.every((block) => block !== undefined) ? Buffer.concat(named) : undefined;
    },
    isCommitted: (blob) => entries.get(blob.id)?.committed ?? false,
    commit(blob) {
      const entry = entries.get(blob.id);
      if (!entry) return;
      empty(entry);
      entry.committed = true;
    },
  };
}
