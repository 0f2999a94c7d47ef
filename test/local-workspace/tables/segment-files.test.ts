import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import { pastHot } from '../../../src/local-workspace/tables/cool.ts';
import { openSegmentFiles, type SegmentFiles } from '../../../src/local-workspace/tables/segment-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BANK, KEY, textVector } from './store-rig.ts';

const DAMAGED = { code: 'relay.local-workspace.segment-damaged' };
const COLUMN = { name: 'Message', type: 'string' } as const;
const CONTENT = { table: 'T', day: 1, rows: 2, columns: [{ column: COLUMN, vector: textVector(['a', 'b']) }] };

function open(folder: string, hot?: string): SegmentFiles {
  return openSegmentFiles({ workspaceId: BANK, folders: { main: join(folder, 'segments'), hot }, sealerOf: fileSealers(KEY, BANK) });
}

test('a segment that was written can be read, and its file is for its owner alone', async () => {
  await using folder = await temporaryFolder();
  const files = open(folder.path);
  const segment = files.write(CONTENT);
  assert.deepEqual(
    files.open(segment, ({ column }) => column('Message')),
    CONTENT.columns[0]?.vector,
  );
  const { mode, size } = await stat(files.pathOf(segment));
  assert.deepEqual([mode & 0o777, size], [0o600, segment.bytes]);
  assert.equal((await stat(dirname(files.pathOf(segment)))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(folder.path, 'segments')), [`${segment.id}.seg`]);
});

test('no two segments have the same name', async () => {
  await using folder = await temporaryFolder();
  const files = open(folder.path);
  assert.notEqual(files.write(CONTENT).id, files.write(CONTENT).id);
});

test('drafts and segments that nobody knows are swept away; what is known, and what is no segment, stays', async () => {
  await using folder = await temporaryFolder();
  const hot = join(folder.path, 'hot');
  const files = open(folder.path, hot);
  const [kept, gone] = [files.write(CONTENT), files.write(CONTENT)];
  const copied = files.copy(kept, 'main');
  await writeFile(join(hot, 'half.seg.part'), 'x');
  await writeFile(join(folder.path, 'segments', 'half.seg.part'), 'x');
  await writeFile(join(hot, 'note.txt'), 'x');
  files.sweep([kept]);
  assert.deepEqual((await readdir(hot)).sort(), [`${kept.id}.seg`, 'note.txt'].sort());
  assert.deepEqual(await readdir(join(folder.path, 'segments')), []);
  assert.ok(!existsSync(files.pathOf(gone)) && !existsSync(files.pathOf(copied)));
});

test('with a hot folder new segments lie there, and can be copied to the main one', async () => {
  await using folder = await temporaryFolder();
  const hot = join(folder.path, 'hot');
  const files = open(folder.path, hot);
  const segment = files.write(CONTENT);
  assert.equal(segment.place, 'hot');
  assert.equal(files.pathOf(segment), join(hot, `${segment.id}.seg`));
  const copied = files.copy(segment, 'main');
  assert.deepEqual(copied, { ...segment, place: 'main' });
  assert.deepEqual(await readFile(files.pathOf(copied)), await readFile(files.pathOf(segment)));
  files.remove(segment);
  assert.deepEqual(
    files.open(copied, ({ footer }) => footer.rows),
    2,
  );
});

test('a segment that is not as it was written is not copied, and leaves no draft', async () => {
  await using folder = await temporaryFolder();
  const files = open(folder.path, join(folder.path, 'hot'));
  const segment = files.write(CONTENT);
  const bytes = await readFile(files.pathOf(segment));
  bytes[60] = (bytes[60] as number) ^ 1;
  await writeFile(files.pathOf(segment), bytes);
  assert.throws(() => files.copy(segment, 'main'), DAMAGED);
  await truncate(files.pathOf(segment), 70);
  assert.throws(() => files.copy(segment, 'main'), DAMAGED);
  assert.deepEqual(await readdir(join(folder.path, 'segments')), []);
});

test('a segment whose file is gone, empty or short is damaged, and the error names the file', async () => {
  await using folder = await temporaryFolder();
  const files = open(folder.path);
  const segment = files.write(CONTENT);
  for (const length of [40, 11, 0]) {
    await truncate(files.pathOf(segment), length);
    assert.throws(() => files.open(segment, () => {}), DAMAGED, `${length} bytes`);
  }
  await unlink(files.pathOf(segment));
  assert.throws(() => files.open(segment, () => {}), { ...DAMAGED, message: new RegExp(segment.id) });
});

test('a segment is past its hot days when its day has been over for so long', async () => {
  await using folder = await temporaryFolder();
  const files = open(folder.path, join(folder.path, 'hot'));
  const segment = files.write({ ...CONTENT, day: 10 });
  const day = 86_400_000;
  const isPast = (hotDays: number, now: number, place: 'hot' | 'main' = 'hot'): boolean => pastHot([{ ...segment, place }], hotDays, now).length === 1;
  assert.deepEqual([isPast(2, 13 * day - 1), isPast(2, 13 * day), isPast(0, 11 * day), isPast(2, 99 * day, 'main')], [false, true, true, false]);
});
