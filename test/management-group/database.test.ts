import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { openDatabase, transaction } from '../../src/management-group/database.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('openDatabase', () => {
  it('makes a file that only its owner may read', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/group.sqlite`;
    openDatabase(path).close();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('tells a second relay in words that the first one has the folder, and lets it in afterwards', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/group.sqlite`;
    const first = openDatabase(path);
    assert.throws(() => openDatabase(path), { code: 'relay.management-group.in-use', message: /another relay runs with this data folder\. Stop it/ });
    first.close();
    openDatabase(path).close();
  });

  it('refuses a file of a newer layout, and leaves it as it is', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/group.sqlite`;
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 2');
    newer.close();
    for (let at = 0; at < 2; at += 1)
      assert.throws(() => openDatabase(path), { code: 'relay.management-group.newer-file', message: /layout 2, this one reads 1/ });
  });

  it('refuses a file that is no database without blaming another relay', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/group.sqlite`;
    await writeFile(path, 'no database at all, but long enough to be looked at as one: '.repeat(40));
    assert.throws(() => openDatabase(path), { code: 'relay.management-group.unreadable', message: /damaged.*Restore it from a backup/ });
  });

  it('says so when the file cannot be opened', async () => {
    await using folder = await temporaryFolder();
    assert.throws(() => openDatabase(`${folder.path}/nowhere/group.sqlite`), { code: 'relay.management-group.unreadable', message: /cannot be opened/ });
  });
});

describe('a transaction', () => {
  it('that fails leaves nothing behind', async () => {
    await using folder = await temporaryFolder();
    const database = openDatabase(`${folder.path}/group.sqlite`);
    database.exec('CREATE TABLE one (n INTEGER)');
    const failing = (): void =>
      transaction(database, () => {
        database.exec('INSERT INTO one VALUES (1)');
        throw new Error('in the middle');
      });
    assert.throws(failing, /in the middle/);
    assert.deepEqual(database.prepare('SELECT * FROM one').all(), []);
    database.close();
  });

  it('that SQLite rolled back by itself still tells its own cause', async () => {
    await using folder = await temporaryFolder();
    const database = openDatabase(`${folder.path}/group.sqlite`);
    const failing = (): void =>
      transaction(database, () => {
        database.exec('ROLLBACK');
        throw new Error('the disk is full');
      });
    assert.throws(failing, /the disk is full/);
    database.close();
  });
});
