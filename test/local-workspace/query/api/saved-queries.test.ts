import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Server, ServerInjectResponse } from '@hapi/hapi';
import type { SavedQueries } from '../../../../src/local-workspace/query/api/saved-queries.ts';
import { BANK, jsonOf, savedInMemory, startQueryApi } from './query-api-rig.ts';

const ALL = `/v1/workspaces/${BANK}/savedQueries`;

function put(server: Server, name: string, body: unknown): Promise<ServerInjectResponse> {
  return server.inject({
    method: 'PUT',
    url: `${ALL}/${encodeURIComponent(name)}`,
    payload: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
}

test('a saved query is kept, listed, given back and deleted, and each change is audited', async (t) => {
  const { server, savedAudits, decided } = await startQueryApi(t);
  const saved = { query: 'Heartbeat | count', description: 'how many', name: 'Machines of today', createdAt: '2026-11-29T12:00:00.000Z' };
  assert.deepEqual(jsonOf(await put(server, saved.name, { query: ' Heartbeat | count ', description: 'how many' })), saved);
  assert.deepEqual(jsonOf(await server.inject({ url: ALL })), { value: [saved] });
  const url = `${ALL}/${encodeURIComponent(saved.name)}`;
  assert.deepEqual(jsonOf(await server.inject({ url })), saved);
  const removed = await server.inject({ method: 'DELETE', url });
  assert.deepEqual([removed.statusCode, removed.payload], [204, '']);
  assert.equal((await server.inject({ url })).statusCode, 404);
  assert.deepEqual(savedAudits, ['reader saved-query.put Machines of today', 'reader saved-query.delete Machines of today']);
  assert.deepEqual(decided, ['saved-query.write', 'saved-query.read', 'saved-query.read', 'saved-query.write', 'saved-query.read']);
});

test('names that could be a path, and bodies that are no query, are refused', async (t) => {
  const { server, savedAudits } = await startQueryApi(t);
  for (const name of ['.', '..', '../x', '.hidden', 'a/b', 'a\\b', 'a\u0000', ' a', 'é', 'x'.repeat(129)]) {
    assert.equal((await put(server, name, { query: 'T' })).statusCode, name === '.' || name === '..' ? 404 : 400, name);
  }
  for (const body of [{}, { query: '' }, { query: ' ' }, { query: 1 }, { query: 'T', other: 1 }, { query: 'T', description: 'x'.repeat(2_001) }, [], null]) {
    const response = await put(server, 'good', body);
    assert.equal(response.statusCode, 400, JSON.stringify(body));
    assert.match(response.payload, /InvalidSavedQuery/);
  }
  assert.equal((await put(server, 'x'.repeat(128), { query: 'T' })).statusCode, 200);
  assert.equal(savedAudits.length, 1);
});

test('what the store refuses is told in its words', async (t) => {
  const savedQueries: SavedQueries = {
    ...savedInMemory(),
    put: async () => ({ kind: 'refused', message: 'There are 10000 saved queries already. Delete some.' }),
  };
  const { server, savedAudits } = await startQueryApi(t, { savedQueries });
  const refused = await put(server, 'new', { query: 'T' });
  assert.equal(refused.statusCode, 400);
  assert.match(refused.payload, /There are 10000 saved queries already\. Delete some\./);
  assert.deepEqual(savedAudits, []);
});

test('while the place is away every call is a 503 that says why', async (t) => {
  const away = async (): Promise<{ kind: 'unavailable'; reason: string }> => ({ kind: 'unavailable', reason: 'The private storage is not mounted.' });
  const { server, savedAudits } = await startQueryApi(t, { savedQueries: { list: away, get: away, put: away, delete: away } });
  const answers = [
    await server.inject({ url: ALL }),
    await server.inject({ url: `${ALL}/x` }),
    await put(server, 'x', { query: 'T' }),
    await server.inject({ method: 'DELETE', url: `${ALL}/x` }),
  ];
  for (const { statusCode, payload } of answers) {
    assert.equal(statusCode, 503);
    assert.match(payload, /not mounted/);
  }
  assert.deepEqual(savedAudits, []);
});
