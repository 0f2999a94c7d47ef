import { hash } from 'node:crypto';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

/** A UUID version 7 (RFC 9562 §5.7): its order is the order of receipt, to the millisecond. */
export type BatchId = string & { readonly __batchId: true };

/** Fills the given bytes with chance, like `crypto.randomFillSync`. */
export type Random = (bytes: Uint8Array) => void;

/** Makes an id from a time in milliseconds and chance. */
export function createBatchId(nowMs: number, random: Random): BatchId {
  const bytes = Buffer.allocUnsafe(16);
  random(bytes);
  return asBatchId(bytes, nowMs);
}

/** The id of a part of a batch: its records from `from` up to `to`. The same part has the same id whenever it is made. */
export function partId(whole: BatchId, from: number, to: number): BatchId {
  const bytes = hash('sha256', `${whole} ${from} ${to}`, 'buffer').subarray(0, 16);
  return asBatchId(bytes, timeOf(whole));
}

/** The id of the copy of a batch that goes to another workspace: each workspace's dead letters, books and repeats are its own. */
export function copyId(whole: BatchId, workspaceId: WorkspaceId): BatchId {
  return asBatchId(hash('sha256', `${whole} copy ${workspaceId}`, 'buffer').subarray(0, 16), timeOf(whole));
}

function timeOf(id: BatchId): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function asBatchId(bytes: Buffer, ms: number): BatchId {
  bytes.writeUIntBE(Math.max(0, Math.floor(ms)) % 2 ** 48, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as BatchId;
}

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Reads an id that a sender gave its batch; undefined when it is none. */
export function readBatchId(text: unknown): BatchId | undefined {
  return typeof text === 'string' && UUID_7.test(text) ? (text as BatchId) : undefined;
}
