/**
 * One group in a segment file, version 1, all numbers big-endian:
 *
 *   "RLG1" · header length (4) · payload length (4) · CRC-32 of the payload (4) · CRC-32 of the 16 bytes before and the header (4)
 *   header (JSON: GroupHeader) · payload (the members' sealed envelopes, one after another)
 *
 * Invariants: a group is written whole and synced before anyone is told; only the last group of a segment can be torn; the header can be
 * read, and the segment walked, without opening or even reading the payload. The header names the key that sealed the group, so that a key
 * in use is known without opening anything; headers of earlier releases do not, then the first envelope does.
 */
import { crc32 } from 'node:zlib';
import type { BatchSummary } from '../batch/batch.ts';
import type { BatchId } from '../batch/batch-id.ts';
import type { Kind } from '../batch/kind.ts';
import { RelayError } from '../errors.ts';
import type { Format } from '../format.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';

const VERSION = 1;
const MAGIC = Buffer.from(`RLG${VERSION}`);

/** The layout of segments. */
export const SEGMENT_FORMAT: Format = { reads: [VERSION], writes: VERSION };

/** Largest header, written or believed when read: 1024 members of about 250 bytes fit well. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** Bytes before a group's header. */
export const PREFIX_BYTES = 20;

/** `<segment>.<number>`: unique for ever, so that an index restored from an old backup cannot name another group by it. */
export type GroupId = string & { readonly __groupId: true };

/** What is known of a group without opening it. */
export interface GroupHeader {
  readonly id: GroupId;
  readonly workspaceId: WorkspaceId;
  readonly kind: Kind;
  /** The key that sealed all its members; undefined where nothing tells. */
  readonly keyId?: string | undefined;
  readonly members: readonly GroupMember[];
}

export interface GroupMember extends BatchSummary {
  readonly sealedBytes: number;
}

export interface Prefix {
  readonly headerBytes: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly headerCrc: number;
}

/** Writes prefix and header of a group, to stand before its payload's chunks. Throws `relay.cache.group-too-large` for a header that no scan would believe. */
export function encodeGroup(header: GroupHeader, payload: readonly Buffer[]): Buffer {
  const text = Buffer.from(JSON.stringify({ ...header, members: header.members.map(toWire) }));
  if (text.length > MAX_HEADER_BYTES) {
    throw new RelayError(
      'relay.cache.group-too-large',
      `A group's header is ${text.length} bytes, at most ${MAX_HEADER_BYTES} can be read back. Lower cache.groupBatches.`,
    );
  }
  const start = Buffer.allocUnsafe(PREFIX_BYTES);
  MAGIC.copy(start, 0);
  start.writeUInt32BE(text.length, 4);
  start.writeUInt32BE(
    payload.reduce((sum, chunk) => sum + chunk.length, 0),
    8,
  );
  start.writeUInt32BE(
    payload.reduce((crc, chunk) => crc32(chunk, crc), 0),
    12,
  );
  start.writeUInt32BE(crc32(text, crc32(start.subarray(0, 16))), 16);
  return Buffer.concat([start, text]);
}

/** Reads a group's prefix at the beginning of `bytes`; undefined when there is none. */
export function decodePrefix(bytes: Buffer): Prefix | undefined {
  if (bytes.length < PREFIX_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  const prefix = {
    headerBytes: bytes.readUInt32BE(4),
    payloadBytes: bytes.readUInt32BE(8),
    payloadCrc: bytes.readUInt32BE(12),
    headerCrc: bytes.readUInt32BE(16),
  };
  return prefix.headerBytes > 0 && prefix.headerBytes <= MAX_HEADER_BYTES ? prefix : undefined;
}

/** Reads prefix and header together; undefined when a bit of them is wrong. */
export function decodeHeader(prefix: Prefix, bytes: Buffer): GroupHeader | undefined {
  const text = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + prefix.headerBytes);
  if (text.length < prefix.headerBytes || crc32(text, crc32(bytes.subarray(0, 16))) !== prefix.headerCrc) return undefined;
  const wire = JSON.parse(text.toString('utf8')) as Omit<GroupHeader, 'members'> & { readonly members: readonly WireMember[] };
  return { ...wire, members: wire.members.map(fromWire) };
}

/** Whether a payload is the one that was written. */
export function isWhole(prefix: Prefix, payload: Buffer): boolean {
  return payload.length === prefix.payloadBytes && crc32(payload) === prefix.payloadCrc;
}

/** Where the next group might begin in `bytes`, at or after `from`; -1 when nowhere. */
export function findMagic(bytes: Buffer, from: number): number {
  return bytes.indexOf(MAGIC, from);
}

// Field names would be a third of the header.
type WireMember = readonly [id: BatchId, agentId: AgentId, dataType: string, receivedAt: number, bytes: number, sealedBytes: number];

function toWire(member: GroupMember): WireMember {
  return [member.id, member.agentId, member.dataType, member.receivedAt, member.bytes, member.sealedBytes];
}

function fromWire([id, agentId, dataType, receivedAt, bytes, sealedBytes]: WireMember): GroupMember {
  return { id, agentId, dataType, receivedAt, bytes, sealedBytes };
}
