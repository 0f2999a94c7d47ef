import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { Verdict } from '../../../src/batch/verdict.ts';
import { systemClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createHttpClient } from '../../../src/upstream/http-client.ts';
import { connectIngestion } from '../../../src/upstream/logs-ingestion/connect-ingestion.ts';
import { createTransformer } from '../../../src/upstream/logs-ingestion/transformer.ts';
import { createRecordOpener } from '../../../src/upstream/record-opener.ts';
import { startHttpsServer } from '../https-server.ts';
import { envelope } from './batches.ts';

type Answer = (response: ServerResponse) => void;

interface Offered {
  readonly verdict: Verdict;
  readonly requests: number;
  readonly outcomes: readonly string[];
  readonly refusedTokens: number;
  /** Of the first request. */
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** Offers one batch of one record to a service that answers with one after another of `answers`, the last again and again. */
async function offerTo(answers: readonly Answer[], records: readonly object[] = [{ n: 1 }], token?: () => string): Promise<Offered> {
  let requests = 0;
  let refusedTokens = 0;
  let path = '';
  let headers: Readonly<Record<string, unknown>> = {};
  const outcomes: string[] = [];
  await using server = await startHttpsServer((request, response) => {
    if (requests === 0) [path, headers] = [request.url ?? '', request.headers];
    const answer = answers[Math.min(requests, answers.length - 1)] ?? status(204);
    requests += 1;
    request.resume().once('end', () => answer(response));
  });
  const transformer = createTransformer();
  const opener = createRecordOpener(MAX_BYTES);
  const transport = connectIngestion({
    options: {
      endpoint: server.url,
      ruleId: `dcr-${'0'.repeat(32)}`,
      streams: [],
      columns: { batchId: true, agent: true, relay: false, originalTime: true },
      groupsInFlight: 1,
      signIn: { method: 'client-secret', cloud: 'public' },
    },
    client: createHttpClient({ connections: 2, connectTimeoutMs: 10_000, requestTimeoutMs: 10_000, trust: server.rootPem }),
    tokens: {
      async token() {
        if (!token) return { outcome: 'token', token: `token-${refusedTokens}` };
        return { outcome: 'none', reason: token() };
      },
      refused() {
        refusedTokens += 1;
      },
      close() {},
    },
    transformer,
    opener,
    relayName: 'relay',
    version: '1.0.0',
    connections: 2,
    offersInFlight: 1,
    maxInflatedBytes: MAX_BYTES,
    clock: systemClock,
    log: silentLogger,
    onRecords: () => {},
    onPart: () => {},
    onRequest: ({ outcome }) => void outcomes.push(outcome),
  });
  try {
    const [verdict] = await transport.offer([envelope('LINUX_SYSLOGS_BLOB', records)], new AbortController().signal);
    assert.ok(verdict);
    return { verdict, requests, outcomes, refusedTokens, path, headers };
  } finally {
    await transport.close();
    await opener.close();
    await transformer.close();
  }
}

function status(code: number, error?: string, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(code, headers);
    response.end(error === undefined ? '' : JSON.stringify({ error: { code: error, message: `because of ${error}` } }));
  };
}

const ROWS: readonly { readonly name: string; readonly answers: readonly Answer[]; readonly requests: number; readonly verdict: string | RegExp }[] = [
  { name: '204: delivered', answers: [status(204)], requests: 1, verdict: 'delivered' },
  { name: '200, which others take for an error: delivered', answers: [status(200)], requests: 1, verdict: 'delivered' },
  { name: '202: delivered', answers: [status(202)], requests: 1, verdict: 'delivered' },
  { name: '400 for a record: it is refused, with the answer', answers: [status(400, 'InvalidPayload')], requests: 1, verdict: /^refused 400 .*InvalidPayload/ },
  { name: '400 for the stream: parked', answers: [status(400, 'InvalidStream')], requests: 1, verdict: /^retry batch .*declare it there/ },
  { name: '401 once: a new token, then delivered', answers: [status(401), status(204)], requests: 2, verdict: 'delivered' },
  { name: '401 again: the workspace rests', answers: [status(401)], requests: 2, verdict: /^retry workspace .*the token was refused twice/ },
  {
    name: '403: the workspace rests, and the remedy is said',
    answers: [status(403, 'OperationFailed')],
    requests: 1,
    verdict: /^retry workspace .*Monitoring Metrics Publisher.*30 minutes/,
  },
  { name: '404: the stream is parked', answers: [status(404, 'NotFound')], requests: 1, verdict: /^retry batch .*does not take the stream Custom-Syslog_CL/ },
  { name: '408: the workspace rests', answers: [status(408)], requests: 1, verdict: /^retry workspace HTTP 408/ },
  { name: '413 for one record: it is refused', answers: [status(413, 'ContentLengthLimitExceeded')], requests: 1, verdict: /^refused 413/ },
  {
    name: '429: Retry-After is kept',
    answers: [status(429, 'TooManyRequests', { 'retry-after': '7' })],
    requests: 1,
    verdict: /^retry workspace HTTP 429.* after 7000$/,
  },
  { name: '429 without Retry-After', answers: [status(429)], requests: 1, verdict: /^retry workspace HTTP 429$/ },
  { name: '500 without a word: the workspace rests', answers: [status(500)], requests: 1, verdict: /^retry workspace HTTP 500$/ },
  { name: '501: the endpoint is not one', answers: [status(501)], requests: 1, verdict: /^retry workspace .*ingestion\.endpoint/ },
  { name: '503: Retry-After is kept', answers: [status(503, 'Busy', { 'retry-after': '3' })], requests: 1, verdict: /^retry workspace HTTP 503.* after 3000$/ },
  { name: 'a connection that breaks', answers: [(response) => response.destroy()], requests: 1, verdict: /^retry workspace / },
];

for (const row of ROWS) {
  test(`answer: ${row.name}`, async () => {
    const { verdict, requests } = await offerTo(row.answers);
    assert.match(describe(verdict), row.verdict instanceof RegExp ? row.verdict : new RegExp(`^${row.verdict}$`));
    assert.equal(requests, row.requests);
  });
}

test('a request is what the service documents', async () => {
  const { path, headers, outcomes } = await offerTo([status(204)]);
  assert.equal(path, `/dataCollectionRules/dcr-${'0'.repeat(32)}/streams/Custom-Syslog_CL?api-version=2023-01-01`);
  assert.equal(headers['authorization'], 'Bearer token-0');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['content-encoding'], 'gzip');
  assert.match(String(headers['x-ms-client-request-id']), /^[0-9a-f-]{36}$/);
  assert.ok(Number(headers['content-length']) > 0);
  assert.deepEqual(outcomes, ['delivered']);
});

test('413 for several records: they go in parts', async () => {
  const { verdict, requests } = await offerTo([status(413, 'ContentLengthLimitExceeded'), status(204)], [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  assert.deepEqual(verdict, { outcome: 'delivered' });
  assert.equal(requests, 3);
});

test('without a token nothing is sent, and the reason is told', async () => {
  const { verdict, requests } = await offerTo([status(204)], [{ n: 1 }], () => 'the secret has expired');
  assert.match(describe(verdict), /^retry workspace no token to sign in with: the secret has expired/);
  assert.equal(requests, 0);
});

function describe(verdict: Verdict): string {
  if (verdict.outcome === 'refused') return `refused ${verdict.status} ${verdict.answer}`;
  if (verdict.outcome !== 'retry') return verdict.outcome;
  return `retry ${verdict.scope} ${verdict.reason}${verdict.retryAfterMs === undefined ? '' : ` after ${verdict.retryAfterMs}`}`;
}
