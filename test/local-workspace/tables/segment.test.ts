import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import { readColumn, readFooter, type SegmentContent, type SegmentFile, writeSegment } from '../../../src/local-workspace/tables/segment.ts';
import type { Vector } from '../../../src/local-workspace/tables/vector.ts';
import type { WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { BANK, KEY, NOON, OTHER_KEY, PLANT, textVector } from './store-rig.ts';

const DAMAGED = { code: 'relay.local-workspace.segment-damaged' };
const NUMBERS = (type: 'datetime' | 'long' | 'real', ...values: number[]): Vector => ({ kind: 'number', type, values: Float64Array.from(values) });

const CONTENT: SegmentContent = {
  table: 'Door_CL',
  day: 20_516,
  rows: 3,
  columns: [
    { column: { name: 'TimeGenerated', type: 'datetime' }, vector: NUMBERS('datetime', NOON + 5, NOON, NOON + 9) },
    { column: { name: '_TimeReceived', type: 'datetime' }, vector: NUMBERS('datetime', NOON + 20, NOON + 10, NOON + 30) },
    { column: { name: '$seq', type: 'long' }, vector: NUMBERS('long', 4, 4, 6) },
    { column: { name: 'Person_s', type: 'string' }, vector: textVector(['ada', undefined, 'grace']) },
    { column: { name: 'Other_s', type: 'string' }, vector: textVector(['ada', undefined, 'joans']) },
    { column: { name: 'Weight_d', type: 'real' }, vector: NUMBERS('real', 0.5, Number.NaN, -0) },
  ],
};

interface Whose {
  readonly key?: KeyObject;
  readonly workspaceId?: WorkspaceId;
  readonly id?: string;
}

function write({ key = KEY, workspaceId = BANK, id = 'segment 1' }: Whose = {}, content = CONTENT): Buffer {
  return writeSegment(content, workspaceId, fileSealers(key, workspaceId)(id)).bytes;
}

function fileOf(bytes: Buffer): SegmentFile {
  return {
    path: 'one.seg',
    size: bytes.length,
    read(from, length) {
      if (from < 0 || from + length > bytes.length) throw new RangeError(`the file ends before byte ${from + length}`);
      return Buffer.from(bytes.subarray(from, from + length));
    },
  };
}

/** The footer and all columns, as they are read back. */
function readAll(bytes: Buffer, { key = KEY, workspaceId = BANK, id = 'segment 1' }: Whose = {}): unknown {
  const sealer = fileSealers(key, workspaceId)(id);
  const file = fileOf(bytes);
  const { columns, ...facts } = readFooter(file, workspaceId, sealer);
  return { facts, columns: columns.map(({ name, type }) => ({ column: { name, type }, vector: readColumn(file, { ...facts, columns }, name, sealer) })) };
}

test('a segment says what is in it, and gives it back', () => {
  const bounds = { minTime: NOON, maxTime: NOON + 9, minReceived: NOON + 10, maxReceived: NOON + 30, minSeq: 4, maxSeq: 6 };
  const plainBytes = 4 * 3 * 8 + 2 * 3 * 4 + 'adagraceadajoans'.length;
  const facts = { workspaceId: BANK, table: 'Door_CL', day: 20_516, rows: 3, plainBytes, ...bounds };
  assert.deepEqual(readAll(write()), { facts, columns: CONTENT.columns });
});

test('a segment of many rows comes back as it was', () => {
  const rows = 100_000;
  const column = { name: 'Message', type: 'string' } as const;
  const content = { table: 'T', day: 1, rows, columns: [{ column, vector: textVector(Array.from({ length: rows }, (_, at) => `line ${at}`)) }] };
  assert.deepEqual((readAll(write({}, content)) as { columns: unknown }).columns, content.columns);
});

test('a column that no row has is not there', () => {
  const bytes = write();
  const sealer = fileSealers(KEY, BANK)('segment 1');
  assert.equal(readColumn(fileOf(bytes), readFooter(fileOf(bytes), BANK, sealer), 'Nothing_s', sealer), undefined);
});

test('a segment with any byte changed is damaged, and never says anything else', () => {
  const bytes = write();
  for (let at = 0; at < bytes.length; at += 1) {
    for (const bit of [1, 0x80]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ bit;
      assert.throws(() => readAll(changed), DAMAGED, `byte ${at}`);
    }
  }
});

test('a segment that was cut at any byte is damaged', () => {
  const bytes = write();
  for (let length = 0; length < bytes.length; length += 1) assert.throws(() => readAll(bytes.subarray(0, length)), DAMAGED, `${length} bytes`);
  assert.throws(() => readAll(Buffer.concat([bytes, Buffer.alloc(1)])), DAMAGED);
});

test('a segment opens for its own workspace, key and file alone', () => {
  const bytes = write();
  for (const [what, whose] of [
    ['another key', { key: OTHER_KEY }],
    ['another workspace with the same key', { workspaceId: PLANT }],
    ['another file', { id: 'segment 2' }],
  ] as const) {
    assert.throws(() => readAll(bytes, whose), DAMAGED, what);
  }
});

test('a segment whose name was changed to another workspace is not taken for that one', () => {
  const bytes = Buffer.from(write());
  bytes.write(PLANT, 8, 'latin1');
  for (const workspaceId of [BANK, PLANT]) assert.throws(() => readAll(bytes, { workspaceId }), DAMAGED, workspaceId);
});

test('a column that was put in the place of another does not open, be it of the same segment or of the next', () => {
  const [one, two] = [write(), write({ id: 'segment 2' })];
  const { columns } = readFooter(fileOf(one), BANK, fileSealers(KEY, BANK)('segment 1'));
  const placeOf = (name: string): { at: number; bytes: number } => columns.find((column) => column.name === name) as { at: number; bytes: number };
  const [person, other] = [placeOf('Person_s'), placeOf('Other_s')];
  assert.equal(person.bytes, other.bytes);
  const within = Buffer.from(one);
  one.copy(within, person.at, other.at, other.at + other.bytes);
  assert.throws(() => readAll(within), DAMAGED);
  const between = Buffer.from(one);
  two.copy(between, person.at, person.at, person.at + person.bytes);
  assert.throws(() => readAll(between), DAMAGED);
  const footer = Buffer.from(one);
  two.copy(footer, other.at + other.bytes, other.at + other.bytes);
  assert.throws(() => readAll(footer), DAMAGED);
});

test('nothing of what a segment holds stands in its file in the clear', () => {
  const bytes = write();
  for (const word of ['ada', 'grace', 'Person_s', 'TimeGenerated', 'Door_CL']) assert.equal(bytes.indexOf(word), -1, word);
  // What is in the clear is found.
  assert.notEqual(bytes.indexOf(BANK), -1);
});
