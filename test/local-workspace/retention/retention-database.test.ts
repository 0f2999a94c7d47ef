import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { startRetention } from './rig.ts';

test('another program can neither change nor remove what was recorded', async (t) => {
  const { ask, folder, workspace } = await startRetention(t);
  await ask('PUT', '/tables/Syslog', { properties: { retentionInDays: 400 } });
  await ask('POST', '/purge', { table: 'Door_CL', filters: [{ column: 'Person', operator: '==', value: 'jdoe' }] });
  await eventually('the purge', () => workspace.operations.open().length === 0);
  await ask('POST', '/lock', { reason: 'case 4711' });
  const database = new DatabaseSync(join(folder, 'retention.sqlite'));
  t.after(() => database.close());
  for (const statement of [
    'UPDATE retention_changes SET days = 4',
    'DELETE FROM retention_changes',
    'INSERT OR REPLACE INTO retention_changes SELECT * FROM retention_changes',
    "UPDATE retention_locks SET step = 'lifted'",
    'DELETE FROM retention_locks',
    'INSERT OR REPLACE INTO retention_locks SELECT * FROM retention_locks',
    "UPDATE retention_operations SET state = 'pending'",
    "UPDATE retention_operations SET table_name = 'Syslog'",
    'DELETE FROM retention_operations',
    'INSERT OR REPLACE INTO retention_operations SELECT * FROM retention_operations',
  ]) {
    assert.throws(() => database.exec(statement), /is a history|completed once|what an operation was asked for stays|recorded once/, statement);
  }
});
