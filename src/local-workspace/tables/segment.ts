/**
 * A segment: some rows of one table and one day of one workspace, column by column, in one file that never changes.
 * Layout: magic (8 bytes) · workspace (36) · sealed columns · sealed footer · length of the footer (4) · magic (8).
 * Each part is sealed for its place in this file of this workspace; the workspace in front is for people, and must be the footer's.
 */
import { RelayError } from '../../errors.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Column } from './column.ts';
import type { FileSealer } from './file-sealer.ts';
import type { NumberVector, Vector } from './vector.ts';
import { decodeVector, encodeVector } from './vector-codec.ts';

const MAGIC = Buffer.from('RLYSEG1\n', 'latin1');
const WORKSPACE_BYTES = 36;
const HEADER_BYTES = MAGIC.length + WORKSPACE_BYTES;
const TAIL_BYTES = 4 + MAGIC.length;
const MAX_FOOTER_BYTES = 16 * 1024 * 1024;

/** Rows that go into one segment. */
export interface SegmentContent {
  readonly table: string;
  /** Days since 1970, of TimeGenerated. */
  readonly day: number;
  readonly rows: number;
  readonly columns: readonly { readonly column: Column; readonly vector: Vector }[];
}

/** What a segment says about itself. */
export interface SegmentFacts {
  readonly workspaceId: WorkspaceId;
  readonly table: string;
  readonly day: number;
  readonly rows: number;
  /** About how much memory all of its columns take, in bytes. */
  readonly plainBytes: number;
  /** Bounds, both included: of TimeGenerated and _TimeReceived (milliseconds since 1970), and of the staged entries. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly minReceived: number;
  readonly maxReceived: number;
  readonly minSeq: number;
  readonly maxSeq: number;
}

export interface SegmentFooter extends SegmentFacts {
  readonly columns: readonly (Column & { readonly at: number; readonly bytes: number })[];
}

/** The bytes of a segment, and what it says about itself. */
export function writeSegment(content: SegmentContent, workspaceId: WorkspaceId, sealer: FileSealer): { readonly bytes: Buffer; readonly facts: SegmentFacts } {
  const parts: Buffer[] = [MAGIC, Buffer.from(workspaceId, 'latin1')];
  let at = HEADER_BYTES;
  const columns = content.columns.map(({ column, vector }) => {
    const sealed = sealer.seal(placeOf(column.name), encodeVector(vector));
    parts.push(sealed);
    const placed = { ...column, at, bytes: sealed.length };
    at += sealed.length;
    return placed;
  });
  const facts = factsOf(content, workspaceId);
  const footer = sealer.seal('footer', Buffer.from(JSON.stringify({ ...facts, columns } satisfies SegmentFooter)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return { bytes: Buffer.concat([...parts, footer, length, MAGIC]), facts };
}

/** A segment's file that is open. */
export interface SegmentFile {
  readonly path: string;
  readonly size: number;
  /** Reads so many bytes from a place. Throws when the file has not got them. */
  read(from: number, length: number): Buffer;
}

/** The footer of a segment. Throws `relay.local-workspace.segment-damaged`, also when it is another workspace's. */
export function readFooter(file: SegmentFile, workspaceId: WorkspaceId, sealer: FileSealer): SegmentFooter {
  return guarded(file, () => {
    const { size } = file;
    const tail = file.read(size - TAIL_BYTES, TAIL_BYTES);
    const length = tail.readUInt32LE(0);
    if (!tail.subarray(4).equals(MAGIC) || length > Math.min(MAX_FOOTER_BYTES, size - TAIL_BYTES - HEADER_BYTES))
      throw new Error('its end is not that of a segment');
    const footer = JSON.parse(sealer.open('footer', file.read(size - TAIL_BYTES - length, length)).toString('utf8')) as SegmentFooter;
    const header = file.read(0, HEADER_BYTES);
    if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('its beginning is not that of a segment');
    const named = header.toString('latin1', MAGIC.length);
    if (footer.workspaceId !== workspaceId || named !== workspaceId) throw new Error(`it is of workspace ${named}, not of ${workspaceId}`);
    return footer;
  });
}

/** One column of a segment; undefined when no row of it has a value there. Throws `relay.local-workspace.segment-damaged`. */
export function readColumn(file: SegmentFile, footer: SegmentFooter, name: string, sealer: FileSealer): Vector | undefined {
  const column = footer.columns.find((one) => one.name === name);
  if (!column) return undefined;
  return guarded(file, () => decodeVector(column, sealer.open(placeOf(name), file.read(column.at, column.bytes)), footer.rows));
}

function placeOf(column: string): string {
  return `column ${column}`;
}

function factsOf({ table, day, rows, columns }: SegmentContent, workspaceId: WorkspaceId): SegmentFacts {
  const bounds = (name: string): readonly [number, number] => {
    const vector = columns.find(({ column }) => column.name === name)?.vector as NumberVector | undefined;
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of vector?.values ?? []) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
    return [least, most];
  };
  const [minTime, maxTime] = bounds('TimeGenerated');
  const [minReceived, maxReceived] = bounds('_TimeReceived');
  const [minSeq, maxSeq] = bounds('$seq');
  return {
    workspaceId,
    table,
    day,
    rows,
    plainBytes: columns.reduce((sum, { vector }) => sum + sizeOf(vector), 0),
    minTime,
    maxTime,
    minReceived,
    maxReceived,
    minSeq,
    maxSeq,
  };
}

function sizeOf(vector: Vector): number {
  if (vector.kind === 'number') return vector.values.byteLength;
  return vector.dictionary.reduce((sum, text) => sum + text.length, vector.codes.byteLength);
}

function guarded<Value>({ path }: SegmentFile, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    const message = `The segment ${path} cannot be read: its bytes were changed, or it is of another workspace. Check the disk, and restore the file from a backup.`;
    throw new RelayError('relay.local-workspace.segment-damaged', message, { cause });
  }
}
