import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { linkStorage } from '../../../src/local-workspace/private-storage/link.ts';
import { createPrivateStorage } from '../../../src/local-workspace/private-storage/private-storage.ts';
import { createSavedQueries, type SavedQueries } from '../../../src/local-workspace/private-storage/saved-queries.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { BANK, temporaryFolder } from '../rig.ts';

const ID = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';

async function opened(t: TestContext): Promise<{ folder: string; queries: SavedQueries; advance: (ms: number) => void }> {
  const folder = await temporaryFolder(t);
  await linkStorage(folder, BANK, { id: ID, nowMs: 0 });
  const storage = createPrivateStorage({ folder, workspaceId: BANK, id: ID, keyOf: () => createSecretKey(Buffer.alloc(32, 1)) });
  const clock = createManualClock(Date.UTC(2026, 10, 29));
  return { folder, queries: createSavedQueries(storage, clock), advance: clock.advance };
}

test('a query is kept under any name, changed without losing when it was made, and listed by name', async (t) => {
  const { queries, advance } = await opened(t);
  await queries.put({ name: 'Sign-ins / Zürich ☂', query: 'Syslog | count', description: 'for Ada' });
  await queries.put({ name: 'Beats', query: 'Heartbeat' });
  advance(1_000);
  await queries.put({ name: 'Beats', query: 'Heartbeat | take 1' });
  const createdAt = '2026-11-29T00:00:00.000Z';
  assert.deepEqual(await queries.list(), [
    { name: 'Beats', query: 'Heartbeat | take 1', description: '', createdAt },
    { name: 'Sign-ins / Zürich ☂', query: 'Syslog | count', description: 'for Ada', createdAt },
  ]);
  assert.equal((await queries.get('Beats'))?.query, 'Heartbeat | take 1');
  assert.deepEqual([await queries.delete('Beats'), await queries.delete('Beats'), await queries.get('Beats')], [true, false, undefined]);
});

test('neither a query nor its name can be read in the folder', async (t) => {
  const { folder, queries } = await opened(t);
  await queries.put({ name: 'Suspects', query: 'Syslog' });
  const [name = ''] = await readdir(join(folder, 'queries'));
  assert.match(name, /^[0-9a-f]{32}\.sealed$/);
});

test('what is no query is refused with the reason', async (t) => {
  const { queries } = await opened(t);
  for (const bad of [
    undefined,
    {},
    { name: '', query: 'x' },
    { name: 'x', query: '' },
    { name: 'x'.repeat(201), query: 'x' },
    { name: 'x', query: 'x', more: 1 },
  ]) {
    await assert.rejects(queries.put(bad), { code: 'relay.local-workspace.bad-saved-query' }, JSON.stringify(bad));
  }
});
