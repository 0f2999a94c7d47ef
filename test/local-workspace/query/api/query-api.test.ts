import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import type { QueryAnswer } from '../../../../src/local-workspace/query/api/query-runner.ts';
import { eventually } from '../../../support/eventually.ts';
import { actorOf, BANK, CORRELATION_ID, HEARTBEAT, heldRuns, jsonOf, NOW, ONE, QUERY_PATH, settled, startQueryApi } from './query-api-rig.ts';

const HOUR = 3_600_000;

test('a POST, a GET and a query by resource id ask the engine the same', async (t) => {
  const { server, post, asked } = await startQueryApi(t);
  const url = new URLSearchParams({ query: 'Heartbeat | count', timespan: 'PT1H', workspaces: BANK });
  await post({ query: 'Heartbeat | count', timespan: 'PT1H', workspaces: [BANK.toUpperCase()], unknownToTheService: 1 });
  await server.inject({ method: 'GET', url: `${QUERY_PATH}?${url}` });
  const resource = `/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/${BANK}/query`;
  await server.inject({ method: 'GET', url: `/v1${resource}?${url}` });
  await server.inject({ method: 'GET', url: `/v1/${resource}?${url}` });
  assert.equal(asked.length, 4);
  for (const each of asked) {
    assert.deepEqual(each, {
      workspaceId: BANK,
      text: 'Heartbeat | count',
      timespan: { from: NOW - HOUR, to: NOW },
      now: NOW,
      timeoutMs: 180_000,
      limits: { rows: 500_000, bytes: 104_857_600 },
    });
  }
});

test('a timespan in the body and one in the query string leave the time that is in both', async (t) => {
  const { server, asked } = await startQueryApi(t);
  const headers = { 'content-type': 'application/json' };
  const payload = JSON.stringify({ query: 'T', timespan: 'P1D' });
  await server.inject({ method: 'POST', url: `${QUERY_PATH}?timespan=2026-11-29T00:00Z/2026-11-30T00:00Z`, payload, headers });
  assert.deepEqual(asked[0]?.timespan, { from: Date.parse('2026-11-29T00:00Z'), to: NOW });
  await server.inject({ method: 'POST', url: QUERY_PATH, payload: JSON.stringify({ query: 'T', timespan: null }), headers });
  assert.equal(asked[1]?.timespan, undefined);
});

test('each query is audited with who, what, how much and how it ended, before its answer goes out', async (t) => {
  const fault = { message: 'wrong', line: 1, position: 1, offset: 0, token: 'T' };
  const answers: [QueryAnswer, string][] = [
    [ONE, 'done'],
    [{ ...ONE, truncated: { reason: 'rows' } }, 'partial'],
    [{ kind: 'syntax-error', ...fault }, 'syntax-error'],
    [{ kind: 'semantic-error', ...fault }, 'semantic-error'],
    [{ kind: 'too-large', message: 'Too large.' }, 'too-large'],
    [{ kind: 'unavailable', reason: 'Away.' }, 'unavailable'],
    [{ kind: 'cancelled' }, 'cancelled'],
  ];
  for (const [answer, outcome] of answers) {
    const { post, audits, clock } = await startQueryApi(t, {
      run: () => {
        clock.advance(40);
        return answer;
      },
    });
    await post({ query: 'T | where A == h"hidden"' }, { authorization: 'Bearer ann' });
    const counts = answer.kind === 'table' ? { rows: 1, scannedRows: 5 } : { rows: 0, scannedRows: 0 };
    const actor = actorOf('ann');
    const text = "T | where A == h'***'";
    assert.deepEqual(audits, [{ workspaceId: BANK, actor, from: '127.0.0.1', correlationId: CORRELATION_ID, text, outcome, ...counts, durationMs: 40 }]);
  }
});

test('a run that fails is audited, logged and answered without what went wrong inside', async (t) => {
  const { post, audits } = await startQueryApi(t, {
    run: () => {
      throw new Error('the key is abc');
    },
  });
  const response = await post({ query: 'T' });
  assert.equal(response.statusCode, 500);
  assert.ok(!response.payload.includes('abc'));
  assert.deepEqual(
    audits.map(({ outcome }) => outcome),
    ['failed'],
  );
});

test('what never reaches the engine is no query, and not audited as one', async (t) => {
  const { post, audits } = await startQueryApi(t, { refusal: { status: 403, code: 'InsufficientAccessError', message: 'No.' } });
  await post({ query: 'T' });
  const other = await startQueryApi(t);
  await other.post({});
  assert.deepEqual([...audits, ...other.audits], []);
});

test('a query over its time is told to stop, and its place is free only when it has', async (t) => {
  const { run, held } = heldRuns();
  const signals: AbortSignal[] = [];
  const { post, clock, audits } = await startQueryApi(t, {
    run: (asked, signal) => {
      signals.push(signal);
      return run(asked, signal);
    },
  });
  const late = Array.from({ length: 5 }, () => post({ query: 'T' }, { prefer: 'wait=30' }));
  await settled();
  clock.advance(30_000);
  assert.deepEqual(
    (await Promise.all(late)).map(({ statusCode }) => statusCode),
    [504, 504, 504, 504, 504],
  );
  assert.ok(signals.every(({ aborted }) => aborted));
  assert.deepEqual(new Set(audits.map(({ outcome }) => outcome)), new Set(['timeout']));
  const next = post({ query: 'T' });
  await settled();
  assert.equal(held.length, 5);
  held[0]?.({ kind: 'cancelled' });
  await settled();
  held[5]?.();
  assert.equal((await next).statusCode, 200);
});

test('a query whose client has gone is told to stop, and audited as cancelled', async (t) => {
  const { run } = heldRuns();
  const signals: AbortSignal[] = [];
  const { server, audits } = await startQueryApi(t, {
    port: 0,
    run: (asked, signal) => {
      signals.push(signal);
      return run(asked, signal);
    },
  });
  await server.start();
  const sent = httpRequest({ port: server.info.port, host: '127.0.0.1', path: `${QUERY_PATH}?query=T` });
  sent.on('error', () => {});
  sent.end();
  await eventually('the query runs', () => signals.length === 1);
  sent.destroy();
  await once(signals[0] as AbortSignal, 'abort');
  await eventually('it is audited', () => audits.length === 1);
  assert.equal(audits[0]?.outcome, 'cancelled');
});

test('an answer of many rows is whole, and comes in pieces', async (t) => {
  const rows = Array.from({ length: 25_001 }, (_, at) => [at, `row "${at}" \n é`, null, at % 2 === 0, 0.1 * at]);
  const columns = (['long', 'string', 'guid', 'bool', 'real'] as const).map((type) => ({ name: type, type }));
  const { server } = await startQueryApi(t, { port: 0, run: () => ({ kind: 'table', columns, rows, scannedRows: 25_001, truncated: { reason: 'rows' } }) });
  await server.start();
  const response = await fetch(`http://127.0.0.1:${server.info.port}${QUERY_PATH}?query=T`, { headers: { prefer: 'include-statistics=true' } });
  assert.equal(response.headers.get('transfer-encoding'), 'chunked');
  const { tables, error, statistics } = (await response.json()) as {
    tables: { rows: unknown[] }[];
    error: { code: string };
    statistics: { query: { datasetStatistics: { tableRowCount: number }[] } };
  };
  assert.deepEqual(tables[0]?.rows, rows);
  assert.equal(error.code, 'PartialError');
  assert.equal(statistics.query.datasetStatistics[0]?.tableRowCount, 25_001);
});

test('an answer without rows has its columns', async (t) => {
  const { post } = await startQueryApi(t, { run: () => ({ ...ONE, rows: [] }) });
  assert.deepEqual(jsonOf(await post({ query: 'T' })), { tables: [{ name: 'PrimaryResult', columns: [{ name: 'Count', type: 'long' }], rows: [] }] });
});

test('a request that is refused for its right is refused ahead of its body, and its ids are given back', async (t) => {
  const { post } = await startQueryApi(t, { refusal: { status: 429, code: 'TooManyRequests', message: 'Later.', retryAfterS: 7 } });
  const response = await post('no json', { 'x-ms-client-request-id': 'mine-1' });
  const { headers } = response;
  assert.deepEqual([response.statusCode, headers['retry-after'], headers['x-ms-client-request-id']], [429, '7', 'mine-1']);
  assert.equal(headers['x-ms-correlation-request-id'], CORRELATION_ID);
  const odd = await post('no json', { 'x-ms-client-request-id': 'a b\tc' });
  assert.equal(odd.headers['x-ms-client-request-id'], undefined);
});

test('without a place to keep saved queries there is no path for them', async (t) => {
  const { server, decided } = await startQueryApi(t, { savedQueries: undefined });
  const response = await server.inject({ method: 'GET', url: `/v1/workspaces/${BANK}/savedQueries` });
  assert.deepEqual([response.statusCode, decided], [404, []]);
});

test('a workspace whose key is away is asked all the same: the engine says why', async (t) => {
  const { post } = await startQueryApi(t, { tables: undefined, run: () => ({ kind: 'unavailable', reason: 'The key was taken away at noon.' }) });
  const response = await post({ query: HEARTBEAT.name });
  assert.equal(response.statusCode, 503);
  assert.match(response.payload, /The key was taken away at noon\./);
});
