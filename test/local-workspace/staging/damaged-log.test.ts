import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { OTHER_KEY, PLANT } from '../tables/store-rig.ts';
import { entry, openLog, readAll } from './staging-rig.ts';

const FIRST = '000000000000001.log';

test('cut at any byte, a log keeps what was whole, loses the rest, and goes on', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(join(folder.path, 'whole'));
  const ends: number[] = [];
  for (const text of ['one', 'two', 'three']) {
    await log.append(entry(text));
    ends.push(log.bytes());
  }
  await log.close();
  const bytes = await readFile(join(folder.path, 'whole', FIRST));
  for (let length = 0; length <= bytes.length; length += 1) {
    const cut = join(folder.path, `cut-${length}`);
    await (await openLog(cut)).close();
    await writeFile(join(cut, FIRST), bytes.subarray(0, length));
    const whole = ends.filter((end) => end <= length).length;
    const again = await openLog(cut);
    assert.deepEqual([again.lastSeq(), again.bytes()], [whole, ends[whole - 1] ?? 0], `${length} bytes`);
    assert.equal(await again.append(entry('next')), whole + 1, `${length} bytes`);
    await again.close();
    const kept = ['1:one', '2:two', '3:three'].slice(0, whole);
    assert.deepEqual(readAll(cut), [...kept, `${whole + 1}:next`], `${length} bytes`);
  }
});

test('an end of zeros, or of anything, is cut off', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path);
  await log.append(entry('one'));
  const size = log.bytes();
  await log.close();
  const whole = await readFile(join(folder.path, FIRST));
  for (const end of [Buffer.alloc(5_000), Buffer.alloc(5_000, 0xff), Buffer.from('no frame at all, but longer than the head of one')]) {
    await writeFile(join(folder.path, FIRST), Buffer.concat([whole, end]));
    const again = await openLog(folder.path);
    assert.deepEqual([again.lastSeq(), again.bytes()], [1, size]);
    await again.close();
  }
});

test('a byte that was changed costs its own entry and no other, wherever it is, and that is told', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path);
  const texts = ['one', 'two', 'three'];
  const ends = [0];
  for (const text of texts) {
    await log.append(entry(text));
    ends.push(log.bytes());
  }
  await log.close();
  const bytes = await readFile(join(folder.path, FIRST));
  for (let at = 0; at < (ends[2] as number); at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 0x10;
    await writeFile(join(folder.path, FIRST), changed);
    const hit = ends.findLastIndex((end) => end <= at);
    const expected = texts.map((text, place) => (place === hit ? 'damaged' : `${place + 1}:${text}`));
    assert.deepEqual(readAll(folder.path), expected, `byte ${at}`);
    // The one behind it was acknowledged, so nothing is cut.
    const again = await openLog(folder.path);
    assert.deepEqual([again.lastSeq(), again.bytes()], [3, bytes.length], `byte ${at}`);
    await again.close();
  }
});

test('a file in the middle that lost its end is told, and reading goes on with the next one', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path, { fileBytes: 200 });
  for (let at = 1; at <= 5; at += 1) await log.append(entry(`entry ${at}`));
  await log.close();
  const bytes = await readFile(join(folder.path, FIRST));
  await writeFile(join(folder.path, FIRST), bytes.subarray(0, -3));
  assert.deepEqual(readAll(folder.path), ['1:entry 1', 'damaged', '3:entry 3', '4:entry 4', '5:entry 5']);
});

test("entries open with their workspace's key alone, and in their own file", async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path, { fileBytes: 100 });
  await log.append(entry('one'));
  await log.append(entry('two'));
  await log.close();
  assert.deepEqual(readAll(folder.path), ['1:one', '2:two']);
  assert.deepEqual(readAll(folder.path, { key: OTHER_KEY }), ['damaged', 'damaged']);
  assert.deepEqual(readAll(folder.path, { workspaceId: PLANT }), ['damaged', 'damaged']);
  const [one, two] = await Promise.all([FIRST, '000000000000002.log'].map((name) => readFile(join(folder.path, name))));
  await writeFile(join(folder.path, FIRST), two as Buffer);
  await writeFile(join(folder.path, '000000000000002.log'), one as Buffer);
  assert.ok(readAll(folder.path).every((found) => found === 'damaged'));
});
