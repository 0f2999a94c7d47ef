// Every row of the table of errors is provoked, and no other error comes out of these requests.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { ServerInjectResponse } from '@hapi/hapi';
import {
  BODY_TIMEOUT_MS,
  MAX_BODY_BYTES,
  MAX_QUEUED,
  MAX_REQUESTS,
  MAX_RUNNING,
  QUEUE_TIMEOUT_MS,
  REQUEST_WINDOW_MS,
} from '../../../../src/local-workspace/query/api/limits.ts';
import { errorsInMarkdown, QUERY_ERRORS, type QueryErrorName } from '../../../../src/local-workspace/query/api/query-errors.ts';
import type { QueryAnswer } from '../../../../src/local-workspace/query/api/query-runner.ts';
import { eventually } from '../../../support/eventually.ts';
import { heldRuns, PLANT, QUERY_PATH, type RigOptions, settled, startQueryApi } from './query-api-rig.ts';

type Provoke = (t: TestContext) => Promise<Pick<ServerInjectResponse, 'statusCode' | 'payload' | 'headers'>>;

const FAULT = { message: 'wrong', line: 1, position: 1, offset: 0, token: 'T' } as const;

const answered =
  (answer: QueryAnswer): Provoke =>
  async (t) =>
    (await startQueryApi(t, { run: () => answer })).post({ query: 'T' });

const posted =
  (body: unknown, headers: Record<string, string> = {}, options: RigOptions = {}): Provoke =>
  async (t) =>
    (await startQueryApi(t, options)).post(body, headers);

const refusedBy =
  (status: number, code: string): Provoke =>
  (t) =>
    posted({ query: 'T' }, {}, { refusal: { status, code, message: 'No.' } })(t);

const requested =
  (method: string, url: string): Provoke =>
  async (t) =>
    (await startQueryApi(t)).server.inject({ method, url });

const PROVOKED: Readonly<Record<QueryErrorName, readonly Provoke[]>> = {
  syntaxError: [answered({ kind: 'syntax-error', ...FAULT })],
  semanticError: [answered({ kind: 'semantic-error', ...FAULT })],
  badBody: [
    posted('{'),
    posted([]),
    posted({}),
    posted({ query: 1 }),
    posted({ query: ' ' }),
    posted(Buffer.from([0x22, 0xff, 0x22])),
    requested('GET', QUERY_PATH),
  ],
  badTimespan: [posted({ query: 'T', timespan: 'yesterday' }), requested('GET', `${QUERY_PATH}?query=T&timespan=PT`)],
  crossWorkspace: [posted({ query: 'T', workspaces: [PLANT] }), requested('GET', `${QUERY_PATH}?query=T&workspaces=other,third`)],
  tooLarge: [answered({ kind: 'too-large', message: 'The join needs too much memory.' })],
  badSavedQuery: [requested('GET', `/v1/workspaces/${PLANT}/savedQueries/..%2fx`)],
  authenticationFailed: [refusedBy(401, 'AuthenticationFailed')],
  invalidToken: [refusedBy(403, 'InvalidAuthenticationToken')],
  insufficientAccess: [refusedBy(403, 'InsufficientAccessError')],
  pathNotFound: [requested('POST', '/v1/workspaces/bank/query'), requested('DELETE', QUERY_PATH), requested('GET', '/v1/nothing')],
  noSavedQuery: [requested('GET', `/v1/workspaces/${PLANT}/savedQueries/none`), requested('DELETE', `/v1/workspaces/${PLANT}/savedQueries/none`)],
  slowBody: [slowly],
  bodyTooLarge: [posted(Buffer.alloc(MAX_BODY_BYTES + 1))],
  notJson: [posted('{}', { 'content-type': 'text/plain' })],
  tooManyRequests: [often],
  queueFull: [queued(MAX_RUNNING + MAX_QUEUED)],
  queueTimeout: [tooLongQueued],
  failed: [
    posted(
      { query: 'T' },
      {},
      {
        run: () => {
          throw new Error('secret');
        },
      },
    ),
  ],
  unavailable: [answered({ kind: 'unavailable', reason: 'The key was taken away.' }), answered({ kind: 'cancelled' }), withoutKey],
  timeout: [overTime],
};

for (const [name, { status, code, inner, when }] of Object.entries(QUERY_ERRORS)) {
  test(`${status} ${code}${inner === undefined ? '' : ` ${inner}`}: ${when}`, async (t) => {
    const provoked = PROVOKED[name as QueryErrorName];
    assert.ok(provoked.length > 0);
    for (const provoke of provoked) {
      const { statusCode, payload, headers } = await provoke(t);
      const { error } = JSON.parse(payload) as {
        error: { code: string; message: string; correlationId: string; innererror?: { code: string; message: string } };
      };
      assert.deepEqual([statusCode, error.code, error.innererror?.code], [status, code, inner]);
      assert.ok(error.message.length > 0 && error.innererror?.message !== '');
      assert.equal(headers['x-ms-correlation-request-id'], error.correlationId);
      if (status === 429) assert.match(String(headers['retry-after']), /^[1-9]\d*$/);
      assert.doesNotMatch(payload, /secret/);
    }
  });
}

test('the table for the documentation has a line for each class', () => {
  const lines = errorsInMarkdown().split('\n');
  assert.equal(lines.length, 2 + Object.keys(QUERY_ERRORS).length);
  assert.ok(lines.every((line) => line.split('|').length === 7));
});

/** A body that stops half way, on a real connection. */
async function slowly(t: TestContext): ReturnType<Provoke> {
  const { server, clock } = await startQueryApi(t, { port: 0 });
  await server.start();
  const headers = { 'content-type': 'application/json', 'content-length': '100' };
  const sent = httpRequest({ port: server.info.port, host: '127.0.0.1', method: 'POST', path: QUERY_PATH, headers });
  sent.write('{"query":');
  const response = once(sent, 'response') as Promise<[IncomingMessage]>;
  await eventually('the body is waited for', () => clock.waits().includes(BODY_TIMEOUT_MS));
  clock.advance(BODY_TIMEOUT_MS);
  const [answer] = await response;
  assert.equal(answer.headers.connection, 'close');
  return { statusCode: answer.statusCode ?? 0, payload: await text(answer), headers: answer.headers as ServerInjectResponse['headers'] };
}

async function often(t: TestContext): ReturnType<Provoke> {
  const { post } = await startQueryApi(t);
  for (let requests = 0; requests < MAX_REQUESTS; requests += 1) await post('');
  return await post({ query: 'T' });
}

function queued(before: number): Provoke {
  return async (t) => {
    const { run, held } = heldRuns();
    const { post, clock } = await startQueryApi(t, { run });
    const ask = (count: number): ReturnType<typeof post>[] => Array.from({ length: count }, () => post({ query: 'T' }));
    // In two goes, so that the limit of requests is not met first.
    const waiting = ask(MAX_REQUESTS);
    await settled();
    clock.advance(REQUEST_WINDOW_MS);
    waiting.push(...ask(before - MAX_REQUESTS));
    await settled();
    const refused = await post({ query: 'T' });
    for (let done = 0; done < before; done += 1) {
      held[done]?.();
      await settled();
    }
    assert.ok((await Promise.all(waiting)).every(({ statusCode }) => statusCode === 200));
    return refused;
  };
}

async function tooLongQueued(t: TestContext): ReturnType<Provoke> {
  const { run } = heldRuns();
  const { post, clock } = await startQueryApi(t, { run });
  for (let running = 0; running < MAX_RUNNING; running += 1) void post({ query: 'T' }, { prefer: 'wait=600' });
  await settled();
  const late = post({ query: 'T' });
  await settled();
  clock.advance(QUEUE_TIMEOUT_MS);
  return await late;
}

async function overTime(t: TestContext): ReturnType<Provoke> {
  const { run } = heldRuns();
  const { post, clock } = await startQueryApi(t, { run });
  const late = post({ query: 'T' }, { prefer: 'wait=30' });
  await settled();
  clock.advance(30_000);
  return await late;
}

async function withoutKey(t: TestContext): ReturnType<Provoke> {
  return (await startQueryApi(t, { tables: undefined })).server.inject({ method: 'GET', url: `/v1/workspaces/${PLANT}/metadata` });
}
