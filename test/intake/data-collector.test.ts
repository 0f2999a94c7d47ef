import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { AZURE_KEY, AZURE_WORKSPACE, type FluentBitCapture, readFluentBit } from '../support/fluent-bit-captures.ts';
import { createIntakeRig, type IntakeRig, type RigSettings } from './rig.ts';

const WORKSPACE = AZURE_WORKSPACE as WorkspaceId;
const CAPTURES = ['3-azure/001', '3-azure/002'].map(readFluentBit);
const [CAPTURE] = CAPTURES as [FluentBitCapture];
const MINUTE_MS = 60_000;

async function createDataCollectorRig(settings: RigSettings = {}): Promise<IntakeRig> {
  const rig = await createIntakeRig({ workspaceId: WORKSPACE, now: CAPTURE.at, ...settings });
  rig.group.senders.create({ name: 'fluent', workspaceId: WORKSPACE, secret: AZURE_KEY });
  return rig;
}

interface Posting {
  readonly url?: string;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly key?: string;
  /** What is signed in place of the body's length. */
  readonly signedLength?: number;
  readonly date?: string;
}

/** Posts as a sender does, signed anew. */
async function post(
  rig: IntakeRig,
  posting: Posting = {},
): Promise<{ status: number; body: { Error?: string; Message?: string } | undefined; retryAfter: unknown }> {
  const { url = '/api/logs?api-version=2016-04-01', body = CAPTURE.body, key = AZURE_KEY, date = new Date(rig.clock.now()).toUTCString() } = posting;
  const payload = Buffer.from(body);
  const signed = `POST\n${posting.signedLength ?? payload.length}\napplication/json\nx-ms-date:${date}\n/api/logs`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'log-type': 'Table',
    'x-ms-date': date,
    authorization: `SharedKey ${WORKSPACE}:${signature}`,
    ...posting.headers,
  };
  const given = Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const answer = await rig.intake.hapi.inject({ method: 'POST', url, headers: given, payload });
  return {
    status: answer.statusCode,
    body: answer.payload === '' ? undefined : (JSON.parse(answer.payload) as { Error: string; Message: string }),
    retryAfter: answer.headers['retry-after'],
  };
}

/** Each row: what is wrong, what is sent, and the documented answer. */
const REFUSED: readonly (readonly [what: string, posting: Posting, status: number, error: string])[] = [
  ['no api-version', { url: '/api/logs' }, 400, 'MissingApiVersion'],
  ['another api-version', { url: '/api/logs?api-version=2015-03-20' }, 400, 'InvalidApiVersion'],
  ['no Content-Type', { headers: { 'content-type': undefined } }, 400, 'MissingContentType'],
  ['another Content-Type', { headers: { 'content-type': 'text/plain' } }, 400, 'UnsupportedContentType'],
  ['no Log-Type', { headers: { 'log-type': undefined } }, 400, 'MissingLogType'],
  ['a Log-Type with a hyphen', { headers: { 'log-type': 'My-Table' } }, 400, 'InvalidLogType'],
  ['a Log-Type of 101 letters', { headers: { 'log-type': 'a'.repeat(101) } }, 400, 'InvalidLogType'],
  ['a body that is no JSON', { body: '[{"a":1},' }, 400, 'InvalidDataFormat'],
  ['a number in the array', { body: '[{"a":1},7]' }, 400, 'InvalidDataFormat'],
  ['a broken value inside a record', { body: '[{"a":4x}]' }, 400, 'InvalidDataFormat'],
  ['a text alone', { body: '"text"' }, 400, 'InvalidDataFormat'],
  ['no body', { body: '' }, 400, 'InvalidDataFormat'],
  ['bytes that are no UTF-8', { body: Buffer.from('5b7b2261223a22ff227d5d', 'hex') }, 400, 'InvalidDataFormat'],
  ['gzip that is none', { headers: { 'content-encoding': 'gzip' } }, 400, 'InvalidDataFormat'],
  ['an encoding that nobody knows', { headers: { 'content-encoding': 'br' } }, 400, 'InvalidDataFormat'],
  ['a workspace that is no GUID', { headers: { authorization: 'SharedKey bank:AAAA' } }, 400, 'InvalidCustomerId'],
  ['no Authorization', { headers: { authorization: undefined } }, 403, 'InvalidAuthorization'],
  ['another scheme', { headers: { authorization: 'Bearer abc' } }, 403, 'InvalidAuthorization'],
  ['another key', { key: Buffer.alloc(64, 1).toString('base64') }, 403, 'InvalidAuthorization'],
  ['another length', { signedLength: CAPTURE.body.length + 1 }, 403, 'InvalidAuthorization'],
  ['no x-ms-date', { headers: { 'x-ms-date': undefined } }, 403, 'InvalidAuthorization'],
  ['a date that is none', { date: 'yesterday' }, 403, 'InvalidAuthorization'],
  ['a date that is 16 minutes old', { date: new Date(CAPTURE.at - 16 * MINUTE_MS).toUTCString() }, 403, 'InvalidAuthorization'],
  ['a date in 16 minutes', { date: new Date(CAPTURE.at + 16 * MINUTE_MS).toUTCString() }, 403, 'InvalidAuthorization'],
];

describe('the Data Collector API', () => {
  it('takes what Fluent Bit sent, as it came', async () => {
    await using rig = await createDataCollectorRig();
    for (const { method, target, headers, body } of CAPTURES) {
      const answer = await rig.intake.hapi.inject({ method: method as 'POST', url: target, headers, payload: body });
      assert.deepEqual([answer.statusCode, answer.payload], [200, '']);
    }
    assert.deepEqual(
      rig.kept.map(({ workspaceId, dataType, solution, kind, origin, body }) => ({ workspaceId, dataType, solution, kind, origin, body })),
      CAPTURES.map(({ body }) => ({
        workspaceId: WORKSPACE,
        dataType: 'StubTable',
        solution: 'CustomLog',
        kind: 'Event',
        origin: {
          protocol: 'operational-data',
          service: 'operational-data',
          encoding: 'identity',
          headers: { 'log-type': 'StubTable', 'time-generated-field': 'TimeGenerated' },
        },
        body,
      })),
    );
  });

  it('refuses it with any character of the signature changed', async () => {
    await using rig = await createDataCollectorRig({ enrolment: { badCredentialsPerMinute: 1_000 } });
    const { method, target, headers, body } = CAPTURE;
    const authorization = String(headers['authorization']);
    const signature = authorization.indexOf(':') + 1;
    for (let at = signature; at < authorization.length - 1; at += 1) {
      const changed = `${authorization.slice(0, at)}${authorization[at] === 'A' ? 'B' : 'A'}${authorization.slice(at + 1)}`;
      // Of the last character before "=", two bits belong to no byte.
      if (Buffer.from(changed.slice(signature), 'base64').equals(Buffer.from(authorization.slice(signature), 'base64'))) continue;
      const answer = await rig.intake.hapi.inject({ method: method as 'POST', url: target, headers: { ...headers, authorization: changed }, payload: body });
      assert.deepEqual([at, answer.statusCode, (answer.result as { Error: string }).Error], [at, 403, 'InvalidAuthorization']);
    }
    assert.equal(rig.kept.length, 0);
  });

  it('refuses a body that is longer or shorter than was signed, and one that is no JSON any more', async () => {
    await using rig = await createDataCollectorRig();
    const { method, target, headers, body } = CAPTURE;
    const send = async (payload: Buffer): Promise<readonly [number, string]> => {
      const answer = await rig.intake.hapi.inject({
        method: method as 'POST',
        url: target,
        headers: { ...headers, 'content-length': String(payload.length) },
        payload,
      });
      return [answer.statusCode, (answer.result as { Error: string }).Error];
    };
    assert.deepEqual(await send(Buffer.concat([body, Buffer.from(' ')])), [403, 'InvalidAuthorization']);
    assert.deepEqual(await send(body.subarray(1)), [403, 'InvalidAuthorization']);
    for (const at of [0, 1, body.length - 1, body.indexOf('42')]) {
      const changed = Buffer.from(body);
      changed[at] = 0x78;
      assert.deepEqual([at, await send(changed)], [at, [400, 'InvalidDataFormat']]);
    }
    assert.equal(rig.kept.length, 0);
  });

  for (const [what, posting, status, error] of REFUSED) {
    it(`answers ${what} with ${status} ${error}`, async () => {
      await using rig = await createDataCollectorRig();
      const answer = await post(rig, posting);
      assert.deepEqual([answer.status, answer.body?.Error], [status, error]);
      assert.ok((answer.body?.Message ?? '').length > 10);
      assert.deepEqual(Object.keys(answer.body ?? {}), ['Error', 'Message']);
      assert.equal(rig.kept.length, 0);
    });
  }

  it('answers what is too large with 404, as the service does', async () => {
    await using rig = await createDataCollectorRig({ senders: { maxBytes: 1_000 } });
    for (const posting of [
      { body: `[{"a":"${'x'.repeat(1_000)}"}]` },
      { body: gzipSync(`[{"a":"${'x'.repeat(1_000)}"}]`), headers: { 'content-encoding': 'gzip' } },
    ]) {
      assert.deepEqual((await post(rig, posting)).status, 404);
    }
    assert.equal((await post(rig, { url: '/api/log?api-version=2016-04-01' })).status, 404);
  });

  it('answers 503 with Retry-After while there is no room, and 400 InactiveCustomer for a workspace that is not configured any more', async () => {
    await using full = await createDataCollectorRig();
    full.answer({ outcome: 'full', message: 'There is no room.' });
    const answer = await post(full);
    assert.deepEqual([answer.status, answer.body?.Error, answer.retryAfter], [503, 'ServiceUnavailable', '60']);
    await using gone = await createDataCollectorRig({ serves: () => false });
    assert.deepEqual([(await post(gone)).status, (await post(gone)).body?.Error], [400, 'InactiveCustomer']);
  });

  it('answers 500 UnspecifiedError for a fault of its own, and tells nothing of it', async () => {
    await using rig = await createDataCollectorRig();
    rig.breakCache();
    const answer = await post(rig);
    assert.deepEqual([answer.status, answer.body?.Error], [500, 'UnspecifiedError']);
    assert.doesNotMatch(answer.body?.Message ?? '', /a fault of the relay/);
  });

  it('takes one object, gzip with either length signed, deflate, a resource, and an old and a new key', async () => {
    await using rig = await createDataCollectorRig();
    const text = '[{"a":1}]';
    const zipped = gzipSync(text);
    const agentId = rig.group.senders.list()[0]?.agent.agentId;
    assert.ok(agentId);
    const { secret } = rig.group.senders.rotate(agentId, MINUTE_MS);
    const postings: readonly Posting[] = [
      { body: '{"a":1}' },
      { body: zipped, headers: { 'content-encoding': 'gzip' } },
      { body: zipped, headers: { 'content-encoding': 'gzip' }, signedLength: text.length },
      { headers: { 'x-ms-azureresourceid': '/subscriptions/1' }, key: secret },
      { headers: { 'content-type': 'application/json; charset=utf-8' } },
      { body: '[]' },
    ];
    for (const posting of postings) assert.equal((await post(rig, posting)).status, 200, JSON.stringify(posting));
    assert.equal(rig.kept[3]?.origin.headers['x-ms-azureresourceid'], '/subscriptions/1');
    assert.deepEqual(
      rig.kept.map(({ origin }) => origin.encoding),
      ['identity', 'gzip', 'gzip', 'identity', 'identity', 'identity'],
    );
  });

  it('knows senders of one workspace apart by their keys, and refuses one that is suspended', async () => {
    await using rig = await createDataCollectorRig();
    const other = rig.group.senders.create({ name: 'other', workspaceId: WORKSPACE });
    assert.equal((await post(rig)).status, 200);
    assert.equal((await post(rig, { key: other.secret })).status, 200);
    assert.equal(new Set(rig.kept.map(({ agentId }) => agentId)).size, 2);
    rig.group.registry.setState(WORKSPACE, other.sender.agent.agentId, 'suspended', 'the test says so');
    assert.deepEqual([(await post(rig, { key: other.secret })).body?.Error, (await post(rig)).status], ['InvalidAuthorization', 200]);
  });

  it('answers bad signatures with 429 after ten of an address, and takes good ones of the same address all the while', async () => {
    await using rig = await createDataCollectorRig();
    for (let bad = 0; bad < 10; bad += 1) assert.equal((await post(rig, { key: 'AAAA' })).status, 403);
    const answer = await post(rig, { key: 'AAAA' });
    assert.deepEqual([answer.status, answer.retryAfter, (await post(rig)).status], [429, '60', 200]);
    rig.clock.advance(MINUTE_MS);
    assert.equal((await post(rig, { key: 'AAAA' })).status, 403);
  });

  it('shows no key and no signature in its log', async () => {
    await using rig = await createDataCollectorRig();
    await post(rig);
    await post(rig, { key: Buffer.alloc(64, 1).toString('base64') });
    const log = JSON.stringify(rig.lines('debug', 'info', 'warn', 'error'));
    assert.ok(!log.includes(AZURE_KEY) && !/[A-Za-z0-9+/]{43}=/.test(log));
    assert.equal(await rig.figure('relay_intake_refused_total{reason="relay.sender.bad-signature"}'), 1);
  });
});
