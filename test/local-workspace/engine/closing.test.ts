import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../rig.ts';
import { uploaded } from '../tables/store-rig.ts';
import { openStore } from './engine-rig.ts';

const QUERY = { text: 'Syslog | count', now: Date.UTC(2026, 10, 29), limits: { rows: 10, bytes: 10_000 } };

test('queries that are under way, and those that wait, get no answer once the tables are closed', async (t) => {
  await using store = await openStore(await temporaryFolder(t));
  await store.stage(uploaded('LINUX_SYSLOGS_BLOB', [{ Message: 'kept' }]));
  await store.settle();
  const before = await store.ask('query', QUERY);
  assert.equal(before.kind === 'table' && before.rows[0]?.[0], 1);
  const asked = Array.from({ length: 5 }, () => store.ask('query', QUERY));
  await store.ask('close', undefined);
  for (const one of asked) await assert.rejects(one, { code: 'relay.local-workspace.tables-closed' });
  await assert.rejects(store.ask('query', QUERY), { code: 'relay.local-workspace.tables-closed' });
});
