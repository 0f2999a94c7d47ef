import assert from 'node:assert/strict';
import { appendFile, copyFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { FilePosition } from '../../../src/agent/collectors/log-positions.ts';
import { type NewLines, readNewLines } from '../../../src/agent/collectors/log-tail.ts';
import { makeTestFolder } from '../test-folder.ts';

const LATER_MS = 60_000;

interface Follower {
  /** The lines that are new since the last call. */
  readAll(): Promise<string[]>;
  readonly lost: boolean;
}

/** Follows a file as the agent does, always a minute after the last write. */
function follow(path: string, firstLines = 200): Follower {
  let position: FilePosition | undefined;
  let lost = false;
  return {
    async readAll() {
      const lines: string[] = [];
      for (let found = await next(); found; found = await next()) {
        lines.push(...found.lines);
        position = found.position;
        lost ||= found.restLost;
      }
      return lines;
    },
    get lost() {
      return lost;
    },
  };
  function next(): Promise<NewLines | undefined> {
    return readNewLines(path, position, { firstLines, now: Date.now() + LATER_MS });
  }
}

function numbered(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `Jan  2 03:04:05 web01 test[1]: line ${from + index}\n`).join('');
}

function numbersOf(lines: readonly string[]): number[] {
  return lines.map((line) => Number(line.split(' ').at(-1)));
}

describe('following a log file', () => {
  it('begins with the last lines, then takes each whole line once', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 10));
    const follower = follow(path, 3);
    assert.deepEqual(numbersOf(await follower.readAll()), [8, 9, 10]);
    await appendFile(path, `${numbered(11, 11)}Jan  2 03:04:05 web01 test: half a li`);
    assert.deepEqual(numbersOf(await follower.readAll()), [11]);
    await appendFile(path, 'ne 12\n\n');
    assert.deepEqual(numbersOf(await follower.readAll()), [12]);
    assert.deepEqual(await follower.readAll(), []);
  });

  it('begins at the beginning of a short file, and at its end when no old lines are wanted', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 2));
    assert.deepEqual(numbersOf(await follow(path, 5).readAll()), [1, 2]);
    assert.deepEqual(numbersOf(await follow(path, 2).readAll()), [1, 2]);
    const late = follow(path, 0);
    assert.deepEqual(await late.readAll(), []);
    await appendFile(path, numbered(3, 3));
    assert.deepEqual(numbersOf(await late.readAll()), [3]);
  });

  it('survives rotation by renaming: the rest of the old file first, then the new one', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 5));
    const follower = follow(path);
    await follower.readAll();
    await appendFile(path, `${numbered(6, 7)}the end without a line feed 8`);
    await rename(path, `${path}.1`);
    await writeFile(path, numbered(9, 10));
    assert.deepEqual(numbersOf(await follower.readAll()), [6, 7, 8, 9, 10]);
    assert.equal(follower.lost, false);
  });

  it('waits for the new file, and for a renamed one that is still written to', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 1));
    const first = await readNewLines(path, undefined, { firstLines: 9, now: Date.now() });
    await rename(path, `${path}.1`);
    assert.equal(await readNewLines(path, first?.position, { firstLines: 9, now: Date.now() + LATER_MS }), undefined);
    await writeFile(path, numbered(2, 2));
    assert.equal(await readNewLines(path, first?.position, { firstLines: 9, now: Date.now() }), undefined);
    const second = await readNewLines(path, first?.position, { firstLines: 9, now: Date.now() + LATER_MS });
    assert.deepEqual(numbersOf(second?.lines ?? []), [2]);
  });

  it('goes through several rotations that happened while it was away', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 5));
    const follower = follow(path);
    await follower.readAll();
    await appendFile(path, numbered(6, 6));
    await rename(path, `${path}.2`);
    await writeFile(`${path}.1`, numbered(7, 8));
    await writeFile(path, numbered(9, 9));
    await utimes(`${path}.2`, 1_000, 1_000);
    await utimes(`${path}.1`, 2_000, 2_000);
    assert.deepEqual(numbersOf(await follower.readAll()), [6, 7, 8, 9]);
  });

  it('survives rotation by copying and emptying', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 5));
    const follower = follow(path);
    await follower.readAll();
    await appendFile(path, numbered(6, 7));
    await copyFile(path, `${path}.1`);
    await truncate(path);
    await appendFile(path, numbered(8, 9));
    assert.deepEqual(numbersOf(await follower.readAll()), [6, 7, 8, 9]);
    assert.equal(follower.lost, false);
  });

  it('begins again when the file was emptied, even when it has grown past the old position, and says that lines may be lost', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 5));
    const follower = follow(path);
    await follower.readAll();
    await truncate(path);
    await appendFile(path, numbered(101, 120));
    assert.deepEqual(
      numbersOf(await follower.readAll()),
      Array.from({ length: 20 }, (_, index) => 101 + index),
    );
    assert.equal(follower.lost, true);
  });

  it('begins again when the file was removed and made anew', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 5));
    const follower = follow(path);
    await follower.readAll();
    await rm(path);
    assert.deepEqual(await follower.readAll(), []);
    await writeFile(path, numbered(6, 12));
    assert.deepEqual(numbersOf(await follower.readAll()), [6, 7, 8, 9, 10, 11, 12]);
  });

  it('cuts long lines at 16 KiB, also one without end', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, '');
    const follower = follow(path);
    await follower.readAll();
    await appendFile(path, `${'x'.repeat(100_000)}\nshort\n${'y'.repeat(600_000)}`);
    const lines = await follower.readAll();
    assert.deepEqual(
      lines.map((line) => `${line.length} ${line[0]}`),
      ['16384 x', '5 s', '16384 y'],
    );
  });

  it('takes a large file in pieces of at most 1000 lines', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, numbered(1, 2_500));
    const first = await readNewLines(path, { inode: 0, offset: 0, mark: '' }, { firstLines: 0, now: Date.now() });
    assert.equal(first?.lines.length, 1_000);
    const second = await readNewLines(path, first?.position, { firstLines: 0, now: Date.now() });
    assert.deepEqual([numbersOf(second?.lines ?? [])[0], second?.lines.length], [1_001, 1_000]);
  });
});
