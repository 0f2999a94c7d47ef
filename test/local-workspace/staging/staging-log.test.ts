import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { entry, openLog, readAll } from './staging-rig.ts';

const FIRST = '000000000000001.log';

test('entries have places from one on, in the order in which they came, and are read in it', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path);
  assert.equal(log.lastSeq(), 0);
  const texts = Array.from({ length: 50 }, (_, at) => `entry ${at + 1}`);
  assert.deepEqual(
    await Promise.all(texts.map((text) => log.append(entry(text)))),
    texts.map((_, at) => at + 1),
  );
  assert.equal(await log.append(entry('later')), 51);
  assert.deepEqual([log.lastSeq(), log.bytes()], [51, (await stat(join(folder.path, FIRST))).size]);
  assert.deepEqual(
    readAll(folder.path),
    [...texts, 'later'].map((text, at) => `${at + 1}:${text}`),
  );
  await log.close();
});

test('an entry comes back with its head and its body as they were', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path);
  const body = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 256));
  await log.append({ ...entry(''), body });
  await log.append(entry(''));
  await log.close();
  assert.equal(readAll(folder.path)[0], `1:${body}`);
  assert.equal(readAll(folder.path)[1], '2:');
});

test('entries that wait at the same moment are written together, as far as a group goes', async () => {
  await using folder = await temporaryFolder();
  const groups: number[] = [];
  const copy = async (_file: unknown, _at: number, bytes: readonly Buffer[]): Promise<void> => {
    groups.push(bytes.length / 2);
  };
  const log = await openLog(folder.path, { copy });
  await Promise.all(Array.from({ length: 100 }, (_, at) => log.append(entry(`${at}`))));
  const large = 'x'.repeat(5 * 1024 * 1024);
  await Promise.all([large, large, large].map((text) => log.append(entry(text))));
  assert.deepEqual(groups, [100, 1, 1, 1]);
  await log.close();
});

test('a copy is given the bytes of the file, in their places', async () => {
  await using folder = await temporaryFolder();
  const copied = new Map<string, Buffer>();
  const copy = async ({ path }: { path: string }, at: number, bytes: readonly Buffer[]): Promise<void> => {
    const before = copied.get(path) ?? Buffer.alloc(0);
    assert.equal(at, before.length);
    copied.set(path, Buffer.concat([before, ...bytes]));
  };
  const log = await openLog(folder.path, { copy, fileBytes: 500 });
  for (let at = 0; at < 7; at += 1) await log.append(entry(`entry ${at}`));
  await log.close();
  assert.ok(copied.size > 1);
  for (const [path, bytes] of copied) assert.deepEqual(bytes, await readFile(path));
});

test('a file that is full is followed by another, and reading goes on there', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path, { fileBytes: 300 });
  for (let at = 1; at <= 10; at += 1) await log.append(entry(`entry ${at}`));
  await log.close();
  const names = await readdir(folder.path);
  assert.ok(names.length > 2, names.join(' '));
  assert.deepEqual(
    readAll(folder.path),
    Array.from({ length: 10 }, (_, at) => `${at + 1}:entry ${at + 1}`),
  );
  assert.deepEqual(readAll(folder.path, { after: 6, through: 8 }), ['7:entry 7', '8:entry 8']);
});

test('files go when all of their entries are done, and never the one that is written to', async () => {
  await using folder = await temporaryFolder();
  // Two entries fill a file.
  const log = await openLog(folder.path, { fileBytes: 200 });
  for (let at = 1; at <= 5; at += 1) await log.append(entry(`entry ${at}`));
  const cases: [seq: number, names: readonly number[]][] = [
    [0, [1, 3, 5]],
    [1, [1, 3, 5]],
    [2, [3, 5]],
    [3, [3, 5]],
    [9, [5]],
  ];
  for (const [seq, firsts] of cases) {
    const can = log.canRemove(seq);
    const before = (await readdir(folder.path)).length;
    await log.removeThrough(seq);
    const names = (await readdir(folder.path)).sort();
    assert.deepEqual(
      names.map((name) => Number(name.slice(0, 15))),
      firsts,
      `through ${seq}`,
    );
    assert.equal(can, names.length < before, `through ${seq}`);
  }
  assert.equal(log.bytes(), (await stat(join(folder.path, '000000000000005.log'))).size);
  await log.removeThrough(4, true);
  assert.equal((await readdir(folder.path)).length, 1);
  await log.removeThrough(5, true);
  assert.deepEqual([await readdir(folder.path), log.bytes()], [[], 0]);
  assert.equal(await log.append(entry('goes on')), 6);
  assert.deepEqual(readAll(folder.path, { after: 5 }), ['6:goes on']);
  await log.close();
});

test('an emptied log goes on behind the place that it is told', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path, { atLeast: 41 });
  assert.deepEqual([log.lastSeq(), await log.append(entry('a'))], [41, 42]);
  await log.close();
  const again = await openLog(folder.path, { atLeast: 7 });
  assert.equal(await again.append(entry('b')), 43);
  await again.close();
  assert.deepEqual(readAll(folder.path, { after: 41 }), ['42:a', '43:b']);
});

test('what is not announced is not read, until it is', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path);
  for (const text of ['one', 'two', 'three']) await log.append(entry(text));
  await log.close();
  assert.deepEqual(readAll(folder.path, { through: 2 }), ['1:one', '2:two']);
  assert.deepEqual(readAll(folder.path, { after: 2, through: 2 }), []);
  assert.deepEqual(readAll(folder.path, { after: 2 }), ['3:three']);
});

test("a log's files are their owner's alone, and say nothing in the clear", async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(join(folder.path, 'staging'));
  await log.append(entry('a secret of the customer'));
  await log.close();
  const path = join(folder.path, 'staging', FIRST);
  assert.deepEqual([(await stat(path)).mode & 0o777, (await stat(join(folder.path, 'staging'))).mode & 0o777], [0o600, 0o700]);
  const bytes = await readFile(path);
  for (const word of ['secret', 'own', 'receivedAt']) assert.ok(!bytes.includes(word), word);
});
