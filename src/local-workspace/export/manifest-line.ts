/**
 * One line of an export's manifest: a JSON object whose last member is a signature (Ed25519, RFC 8032) over all bytes of the line before it. Each
 * line holds the SHA-256 of the line before, so that none can be changed, left out or moved without the key.
 */
import { createHash, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import type { Format } from '../../format.ts';
import type { ColumnType } from '../tables/column.ts';
import { isFilePath } from './layout.ts';
import type { ExportSigner } from './signer.ts';

/** Manifest, head and the files' layout bear no number; this is theirs. */
export const EXPORT_FORMAT: Format = { reads: [1], writes: 1 };

/** A longer line is none of ours. */
export const MAX_LINE_BYTES: number = 1024 * 1024;

const SIGNED = /^(\{.*),"signature":"([0-9a-f]{128})"\}$/s;

/** What the first line of all has in place of the hash of a line before it. */
export const NO_HASH: string = '0'.repeat(64);

/** What a line says. Times are ISO 8601, UTC; hashes are SHA-256 in hexadecimal. */
export interface ManifestEntry {
  /** Counts from 1. */
  readonly number: number;
  readonly workspace: string;
  /** What it was exported for: `continuous`, `range-…`. A job's ranges of one table lie end to end. */
  readonly job: string;
  readonly table: string;
  /** Below the workspace's folder. */
  readonly path: string;
  /** Names and types of the columns that these rows have. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** The file holds rows whose `_TimeReceived` is `from` or later, and before `to`; with its other parts, all of them. */
  readonly from: string;
  readonly to: string;
  /** From 1. */
  readonly part: number;
  readonly parts: number;
  readonly rows: number;
  /** The least and the greatest TimeGenerated; null where no row has one. */
  readonly oldest: string | null;
  readonly newest: string | null;
  /** Of the file as it lies there. */
  readonly bytes: number;
  readonly sha256: string;
  /** Of the JSON lines in it. */
  readonly contentBytes: number;
  readonly contentSha256: string;
  readonly seal: 'none' | 'relay-sealed-frames-1';
  readonly writtenAt: string;
}

const COLUMN_TYPES = ['string', 'int', 'long', 'real', 'bool', 'datetime', 'timespan', 'guid', 'dynamic'] as const satisfies readonly ColumnType[];

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime({ precision: 3 });
const count = z.int().min(0);

const lineSchema = z.strictObject({
  number: z.int().min(1),
  workspace: z.guid(),
  job: z.string().max(64),
  table: z.string().max(100),
  path: z.string().max(400).refine(isFilePath),
  columns: z.record(z.string(), z.enum(COLUMN_TYPES)),
  from: time,
  to: time,
  part: z.int().min(1),
  parts: z.int().min(1),
  rows: count,
  oldest: time.nullable(),
  newest: time.nullable(),
  bytes: count,
  sha256: hash,
  contentBytes: count,
  contentSha256: hash,
  seal: z.enum(['none', 'relay-sealed-frames-1']),
  writtenAt: time,
  before: hash,
  key: z.string().max(16),
  signature: z.string(),
});

/** A line as it was read. What it says is to be trusted only when `isSigned`. */
export interface ManifestLine {
  readonly entry: ManifestEntry;
  /** The hash of the line it was written after. */
  readonly before: string;
  readonly hash: string;
  readonly keyId: string;
  isSigned(key: KeyObject): boolean;
}

/** Where a manifest is: the last line's number and hash. */
export interface ManifestHead {
  readonly number: number;
  readonly hash: string;
}

/** Writes an entry as a line, without the line break. */
export function writeLine(entry: ManifestEntry, before: string, signer: ExportSigner): { readonly line: string; readonly hash: string } {
  const content = JSON.stringify({ ...entry, before, key: signer.id }).slice(0, -1);
  const line = `${content},"signature":"${signer.sign(Buffer.from(content)).toString('hex')}"}`;
  return { line, hash: hashOf(Buffer.from(line)) };
}

/** Reads a line's bytes; undefined when they are no line. */
export function readLine(bytes: Buffer): ManifestLine | undefined {
  // One character a byte: the signature covers the bytes, whatever they are.
  const [, content, signature] = SIGNED.exec(bytes.toString('latin1')) ?? [];
  const read = content === undefined ? undefined : lineSchema.safeParse(parse(bytes)).data;
  if (content === undefined || signature === undefined || read === undefined) return undefined;
  const { before, key: keyId, signature: _, ...entry } = read;
  const isSigned = (key: KeyObject): boolean => verify(null, Buffer.from(content, 'latin1'), key, Buffer.from(signature, 'hex'));
  return { entry, before, hash: hashOf(bytes), keyId, isSigned };
}

/** Whether a line goes on where another ends. */
export function follows({ entry, before }: Pick<ManifestLine, 'entry' | 'before'>, head: ManifestHead): boolean {
  return entry.number === head.number + 1 && before === head.hash;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
