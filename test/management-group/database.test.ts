import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { openDatabase } from '../../src/management-group/database.ts';
import { createRegistry } from '../../src/management-group/registry.ts';
import { inTransaction } from '../../src/transaction.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { BANK, certificate, newAgentId, START } from './rig.ts';

/** The first layout, as relays wrote it before there was a second one. */
const LAYOUT_1 = `
  CREATE TABLE agents (
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    host_name TEXT NOT NULL,
    operating_system TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'suspended')),
    state_reason TEXT NOT NULL,
    state_since INTEGER NOT NULL,
    enrolment_key_id TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, agent_id)
  ) STRICT;
  CREATE TABLE certificates (
    fingerprint TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    replaced_at INTEGER,
    FOREIGN KEY (workspace_id, agent_id) REFERENCES agents (workspace_id, agent_id)
  ) STRICT;
  CREATE INDEX certificates_of_agent ON certificates (workspace_id, agent_id);
  CREATE TABLE enrolment_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    uses INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  PRAGMA user_version = 1;
`;

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

  it('brings a file of the first layout to the newest, with all that is in it', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/group.sqlite`;
    const old = new DatabaseSync(path);
    old.exec(LAYOUT_1);
    const agentId = newAgentId();
    old.prepare("INSERT INTO agents VALUES (?, ?, 'web01', 'Debian 12', 'approved', 'by hand', 1, 'k1', 2, 3)").run(BANK, agentId);
    old.prepare('INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, NULL)').run(certificate('a').fingerprint, BANK, agentId, 4, 5, 6);
    old.prepare("INSERT INTO enrolment_keys VALUES ('k1', 'site', ?, x'00', 7, NULL, NULL, 8)").run(BANK);
    old.close();
    for (let at = 0; at < 2; at += 1) {
      const database = openDatabase(path);
      const registry = createRegistry(database, () => START);
      const { agent } = registry.find(certificate('a').fingerprint) ?? assert.fail('its certificate is not known');
      assert.deepEqual(agent, {
        workspaceId: BANK,
        agentId,
        hostName: 'web01',
        displayName: undefined,
        operatingSystem: 'Debian 12',
        version: '',
        state: 'approved',
        stateReason: 'by hand',
        stateSince: 1,
        enrolmentKeyId: 'k1',
        firstSeenAt: 2,
        lastSeenAt: 3,
        solutions: {},
        receivedBatches: 0,
        receivedBytes: 0,
        movedFrom: undefined,
      });
      assert.deepEqual({ ...database.prepare('SELECT name, uses, max_uses FROM enrolment_keys').get() }, { name: 'site', uses: 8, max_uses: null });
      database.close();
    }
  });

  it('refuses a file of a newer layout, and leaves it as it is', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/group.sqlite`;
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 1000');
    newer.close();
    for (let at = 0; at < 2; at += 1)
      assert.throws(() => openDatabase(path), { code: 'relay.management-group.newer-file', message: /layout 1000, this one reads \d+\)/ });
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
      inTransaction(database, () => {
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
      inTransaction(database, () => {
        database.exec('ROLLBACK');
        throw new Error('the disk is full');
      });
    assert.throws(failing, /the disk is full/);
    database.close();
  });
});
