import assert from 'node:assert/strict';
import { chmod, chown, copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { partsToPutBack, putSnapshotBack, takeSnapshot } from '../../src/upgrade/snapshot.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { formatsWithLayout } from './small-release.ts';

const NAME = 'management-group.sqlite';

/** A state with a database of layout 3 that was not closed, so that its rows are in its write-ahead log, and an authority. */
async function makeState(folder: string): Promise<{ state: string; snapshot: string; leave: () => void }> {
  const [state, snapshot] = [join(folder, 'data'), join(folder, 'snapshots', '0.1.0')];
  await mkdir(join(state, 'authority'), { recursive: true });
  const database = new DatabaseSync(join(state, NAME));
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE agents (name TEXT) STRICT; PRAGMA user_version = 3; INSERT INTO agents VALUES (1);');
  await chmod(join(state, NAME), 0o600);
  for (const [name, mode] of [
    ['roots.json', 0o600],
    ['root.pem', 0o644],
  ] as const) {
    await writeFile(join(state, 'authority', name), `before ${name}`);
    await chmod(join(state, 'authority', name), mode);
  }
  return { state, snapshot, leave: () => database.close() };
}

function rowsOf(state: string): unknown[] {
  using database = new DatabaseSync(join(state, NAME));
  return database
    .prepare('SELECT name FROM agents')
    .all()
    .map(({ name }) => name);
}

function change(state: string, statement: string): void {
  using database = new DatabaseSync(join(state, NAME));
  database.exec(statement);
}

/** Leaves a database of layout 4 as a newer relay does that is killed: its changes in its write-ahead log. */
async function leaveNewer(state: string): Promise<void> {
  const [path, log, kept] = [join(state, NAME), join(state, `${NAME}-wal`), join(state, 'kept')];
  {
    using database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 4; DELETE FROM agents;');
    await copyFile(log, kept);
  }
  await rename(kept, log);
}

describe('a snapshot', () => {
  it('holds what stands in the write-ahead log as well, and puts owner and mode back with the content', async () => {
    await using folder = await temporaryFolder();
    const { state, snapshot, leave } = await makeState(folder.path);
    if (process.geteuid?.() === 0) await chown(join(state, NAME), 4321, 4321);
    const before = await stat(join(state, NAME));
    assert.ok((await readdir(state)).includes(`${NAME}-wal`));
    await takeSnapshot(state, snapshot);
    leave();
    await leaveNewer(state);
    await writeFile(join(state, 'authority', 'roots.json'), 'after');
    await writeFile(join(state, 'authority', 'newer.json'), 'after');
    assert.deepEqual(await partsToPutBack(state, formatsWithLayout(3), formatsWithLayout(4)), ['managementGroup']);

    await putSnapshotBack(snapshot, state, ['managementGroup']);
    assert.deepEqual(rowsOf(state), ['1']);
    const { mode, uid, gid } = await stat(join(state, NAME));
    assert.deepEqual({ mode, uid, gid }, { mode: before.mode, uid: before.uid, gid: before.gid });
    assert.equal(await readFile(join(state, 'authority', 'roots.json'), 'utf8'), 'after', 'what the older release can read stays');

    await putSnapshotBack(snapshot, state, ['authority']);
    assert.deepEqual((await readdir(join(state, 'authority'))).sort(), ['root.pem', 'roots.json']);
    assert.equal(await readFile(join(state, 'authority', 'roots.json'), 'utf8'), 'before roots.json');
    assert.equal((await stat(join(state, 'authority', 'roots.json'))).mode & 0o777, 0o600);
  });

  it('may be put back twice, and is of no use to others than root', async () => {
    await using folder = await temporaryFolder();
    const { state, snapshot, leave } = await makeState(folder.path);
    await takeSnapshot(state, snapshot);
    leave();
    for (let time = 0; time < 2; time += 1) {
      change(state, 'DELETE FROM agents;');
      await putSnapshotBack(snapshot, state, ['managementGroup', 'authority']);
      assert.deepEqual(rowsOf(state), ['1']);
    }
    for (const path of [snapshot, join(snapshot, '..')]) assert.equal((await stat(path)).mode & 0o077, 0);
  });

  it('of a relay that never ran is empty, and puts nothing back', async () => {
    await using folder = await temporaryFolder();
    const state = join(folder.path, 'data');
    await mkdir(state);
    await takeSnapshot(state, join(folder.path, 'snapshot'));
    assert.deepEqual(await partsToPutBack(state, formatsWithLayout(3), formatsWithLayout(4)), []);
    await putSnapshotBack(join(folder.path, 'snapshot'), state, ['managementGroup', 'authority']);
    assert.deepEqual(await readdir(state), []);
  });
});

describe('what must be put back', () => {
  const formats = formatsWithLayout(3);
  it('is a database of a newer layout, or one that was damaged, and not one that can be read', async () => {
    await using folder = await temporaryFolder();
    const { state, leave } = await makeState(folder.path);
    leave();
    const parts = (): Promise<string[]> => partsToPutBack(state, formats, formatsWithLayout(4));
    assert.deepEqual(await parts(), []);
    change(state, 'PRAGMA user_version = 4');
    assert.deepEqual(await parts(), ['managementGroup']);
    await writeFile(join(state, NAME), 'no database at all, but long enough to be looked at');
    assert.deepEqual(await parts(), ['managementGroup']);
  });

  it('is an authority that was written in a format the older release does not read', async () => {
    await using folder = await temporaryFolder();
    const newer = { ...formats, authority: { reads: [1, 2], writes: 2 } };
    assert.deepEqual(await partsToPutBack(folder.path, formats, newer), ['authority']);
    assert.deepEqual(await partsToPutBack(folder.path, newer, newer), []);
  });
});
