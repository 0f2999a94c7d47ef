import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rmdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createDoneNotes, readDoneNotes } from '../../src/cache/done-notes.ts';
import { seeded } from '../support/seeded.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const OFFSETS = [0, 1, 4_096, 2 ** 31, 2 ** 32 - 1];
const asList = (notes: ReadonlyMap<number, ReadonlySet<number>>): [number, number[]][] => [...notes].map(([offset, positions]) => [offset, [...positions]]);

async function write(path: string, notes: readonly (readonly [number, number])[]): Promise<void> {
  const done = createDoneNotes(path);
  for (const [offset, position] of notes) done.add(offset, position);
  await done.close();
}

describe('done notes', () => {
  it('are read back as they were written, over several flushes and openings', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.done');
    await write(
      path,
      OFFSETS.map((offset) => [offset, 0] as const),
    );
    await write(
      path,
      OFFSETS.map((offset) => [offset, 65_535] as const),
    );
    assert.deepEqual(
      asList(await readDoneNotes(path)),
      OFFSETS.map((offset) => [offset, [0, 65_535]]),
    );
  });

  it('say nothing when there is no file, and make none when nothing is done', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.done');
    await write(path, []);
    assert.equal((await readDoneNotes(path)).size, 0);
    await assert.rejects(readFile(path), { code: 'ENOENT' });
  });

  it('leave out a last note written by half, and go on behind the last whole one', async () => {
    for (let left = 1; left < 8; left += 1) {
      await using folder = await temporaryFolder();
      const path = join(folder.path, 'a.done');
      await write(path, [
        [100, 1],
        [200, 2],
      ]);
      await truncate(path, 8 + left);
      assert.deepEqual(asList(await readDoneNotes(path)), [[100, [1]]]);
      await write(path, [[300, 3]]);
      assert.deepEqual(asList(await readDoneNotes(path)), [
        [100, [1]],
        [300, [3]],
      ]);
    }
  });

  it('do not take zeros that a power cut left for a note about the first batch', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.done');
    await write(path, [[100, 1]]);
    await appendFile(path, Buffer.alloc(800));
    assert.deepEqual(asList(await readDoneNotes(path)), [[100, [1]]]);
  });

  it('do not take a note of which a bit changed for another one', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.done');
    await write(path, [[123_456, 7]]);
    const bytes = await readFile(path);
    for (let bit = 0; bit < 64; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      await writeFile(path, changed);
      assert.equal((await readDoneNotes(path)).size, 0, `bit ${bit}`);
    }
  });

  it('are kept and written by the next flush when the disk did not take them', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.done');
    // A folder in the file's place: it cannot be opened.
    await mkdir(path);
    const done = createDoneNotes(path);
    done.add(1, 1);
    await assert.rejects(done.flush());
    done.add(2, 2);
    await rmdir(path);
    await done.flush();
    done.add(3, 3);
    await done.close();
    assert.deepEqual(asList(await readDoneNotes(path)), [
      [1, [1]],
      [2, [2]],
      [3, [3]],
    ]);
  });

  it('lose nothing that is added while a flush runs', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.done');
    const random = seeded(3);
    const done = createDoneNotes(path);
    const flushes: Promise<void>[] = [];
    for (let offset = 0; offset < 1_000; offset += 1) {
      done.add(offset, offset % 32);
      if (random() < 0.2) flushes.push(done.flush());
      if (random() < 0.05) await new Promise(setImmediate);
    }
    await Promise.all(flushes);
    await done.close();
    assert.equal((await readDoneNotes(path)).size, 1_000);
  });
});
