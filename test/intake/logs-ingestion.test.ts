import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ruleIdOf } from '../../src/intake/rule-owners.ts';
import type { AgentId } from '../../src/workspace/workspace-id.ts';
import { CLIENT_ID, CLIENT_SECRET, readFluentBit } from '../support/fluent-bit-captures.ts';
import { BANK, createIntakeRig, enrolAgent, type IntakeRig, PLANT, type RigSettings, send, TOKEN_LIFE_MS } from './rig.ts';

const TOKEN = readFluentBit('4-ali-httpauth/001');
const UPLOAD = readFluentBit('4-ali-httpauth/002');
const RULE = 'dcr-0123456789abcdef0123456789abcdef';
const PATH = `/dataCollectionRules/${RULE}/streams/Custom-Table_CL`;
const VERSION = '?api-version=2023-01-01';
const ROWS = '[{"TimeGenerated":"2026-11-22T13:42:36.141Z","n":1},{"n":2}]';

async function createIngestionRig(settings: RigSettings = {}): Promise<IntakeRig> {
  const rig = await createIntakeRig({ now: UPLOAD.at, ...settings });
  rig.group.senders.create({ name: 'fluent', workspaceId: BANK, clientId: CLIENT_ID as AgentId, secret: CLIENT_SECRET });
  return rig;
}

async function tokenOf(rig: IntakeRig): Promise<string> {
  const answer = await rig.intake.hapi.inject({ method: 'POST', url: TOKEN.target, headers: TOKEN.headers, payload: TOKEN.body });
  return (answer.result as { access_token: string }).access_token;
}

interface Call {
  readonly url?: string;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

interface Answer {
  readonly status: number;
  readonly code: unknown;
  readonly header: unknown;
  readonly message: string;
  readonly challenge: unknown;
}

async function call(rig: IntakeRig, { url = PATH + VERSION, body = ROWS, headers = {} }: Call = {}): Promise<Answer> {
  const all = { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(rig)}`, ...headers };
  const given = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const answer = await rig.intake.hapi.inject({ method: 'POST', url, headers: given, payload: Buffer.from(body) });
  const { error } = (answer.payload === '' ? {} : JSON.parse(answer.payload)) as { error?: { code: string; message: string } };
  return {
    status: answer.statusCode,
    code: error?.code,
    header: answer.headers['x-ms-error-code'],
    message: error?.message ?? '',
    challenge: answer.headers['www-authenticate'],
  };
}

/** Each row: what is wrong, what is sent, and the answer. */
const REFUSED: readonly (readonly [what: string, call: Call, status: number, code: string])[] = [
  ['no token', { headers: { authorization: undefined } }, 401, 'AuthenticationFailed'],
  ['a token of somebody else', { headers: { authorization: 'Bearer stub-token-1' } }, 401, 'AuthenticationFailed'],
  ['a password that is wrong', { headers: { authorization: `Basic ${Buffer.from('fluent:wrong').toString('base64')}` } }, 401, 'AuthenticationFailed'],
  ['no api-version', { url: PATH }, 400, 'MissingApiVersionParameter'],
  ['another api-version', { url: `${PATH}?api-version=2020-01-01` }, 400, 'InvalidApiVersionParameter'],
  ["a rule's name in place of its id", { url: `/dataCollectionRules/my-rule/streams/Custom-Table_CL${VERSION}` }, 404, 'NotFound'],
  ['a rule of another workspace', { url: `/dataCollectionRules/${ruleIdOf(PLANT)}/streams/Custom-Table_CL${VERSION}` }, 403, 'OperationFailed'],
  ['a stream that is none', { url: `/dataCollectionRules/${RULE}/streams/Table${VERSION}` }, 404, 'NotFound'],
  ['a stream with a blank', { url: `/dataCollectionRules/${RULE}/streams/Custom-a%20b${VERSION}` }, 404, 'NotFound'],
  ['another Content-Type', { headers: { 'content-type': 'text/plain' } }, 400, 'InvalidContentType'],
  ['deflate', { headers: { 'content-encoding': 'deflate' } }, 400, 'InvalidContentEncoding'],
  ['gzip that is none', { headers: { 'content-encoding': 'gzip' } }, 400, 'InvalidPayload'],
  ['an object in place of an array', { body: '{"n":1}' }, 400, 'InvalidPayload'],
  ['an array of numbers', { body: '[1,2]' }, 400, 'InvalidPayload'],
  ['no JSON', { body: '[{"n":1' }, 400, 'InvalidPayload'],
  ['no body', { body: '' }, 400, 'InvalidPayload'],
  ['a body over 1 MiB', { body: `[${'{"n":1},'.repeat(131_072)}{}]` }, 413, 'ContentLengthLimitExceeded'],
  ['gzip over 1 MiB', { body: gzipSync(randomBytes(1_100_000)), headers: { 'content-encoding': 'gzip' } }, 413, 'ContentLengthLimitExceeded'],
];

describe('the Logs Ingestion API', () => {
  it('takes what Fluent Bit sent with the token that it got, as it came, and remembers the stream', async () => {
    await using rig = await createIngestionRig();
    const headers = { ...UPLOAD.headers, authorization: `Bearer ${await tokenOf(rig)}` };
    const answer = await rig.intake.hapi.inject({ method: 'POST', url: UPLOAD.target, headers, payload: UPLOAD.body });
    assert.deepEqual([answer.statusCode, answer.payload], [204, '']);
    const [batch] = rig.kept;
    assert.ok(batch);
    assert.ok(batch.body.equals(UPLOAD.body));
    assert.deepEqual(
      [batch.workspaceId, batch.agentId, batch.dataType, batch.solution, batch.origin.encoding, batch.origin.headers],
      [BANK, CLIENT_ID, 'StubTable', 'CustomLog', 'gzip', { 'log-type': 'StubTable', 'x-relay-stream': 'Custom-StubTable_CL' }],
    );
    assert.equal(JSON.parse(gunzipSync(batch.body).toString())[0].message, 'hello dcr');
  });

  it('answers the target in absolute form over the wire too', async () => {
    await using rig = await createIngestionRig();
    const port = await rig.intake.start();
    const headers = { ...UPLOAD.headers, authorization: `Bearer ${await tokenOf(rig)}` };
    assert.equal((await send(port, undefined, { path: UPLOAD.target, headers, body: UPLOAD.body })).status, 204);
  });

  it('refuses it with any byte of the body or any character of the token changed', async () => {
    await using rig = await createIngestionRig({ enrolment: { badCredentialsPerMinute: 1_000, attemptsPerMinute: 1_000_000 } });
    const token = await tokenOf(rig);
    const sendChanged = async (body: Buffer, bearer: string): Promise<number> => {
      const headers = { ...UPLOAD.headers, authorization: `Bearer ${bearer}` };
      return (await rig.intake.hapi.inject({ method: 'POST', url: UPLOAD.target, headers, payload: body })).statusCode;
    };
    for (let at = 0; at < UPLOAD.body.length; at += 1) {
      // What gzip says about itself (flags, time, system) is not part of what it holds.
      if (at >= 3 && at <= 9) continue;
      const changed = Buffer.from(UPLOAD.body);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      assert.deepEqual([at, await sendChanged(changed, token)], [at, 400]);
    }
    for (let at = 0; at < token.length; at += 1) {
      assert.deepEqual([at, await sendChanged(UPLOAD.body, `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`)], [at, 401]);
    }
    assert.equal(rig.kept.length, 0);
  });

  for (const [what, given, status, code] of REFUSED) {
    it(`answers ${what} with ${status} ${code}`, async () => {
      await using rig = await createIngestionRig();
      const answer = await call(rig, given);
      assert.deepEqual([answer.status, answer.code, answer.header], [status, code, code]);
      assert.ok(answer.message.length > 10);
      assert.equal(rig.kept.length, 0);
    });
  }

  it('says how large a call may be and how large it was', async () => {
    await using rig = await createIngestionRig();
    const { message } = await call(rig, { body: Buffer.alloc(1_048_577, 0x20) });
    assert.equal(message, 'Maximum allowed content length: 1048576 bytes (1 MB). Provided content length: 1048577 bytes.');
  });

  it('takes larger calls where the operator allows them', async () => {
    await using rig = await createIngestionRig({ senders: { maxBytes: 4 * 1_048_576 } });
    assert.equal((await call(rig, { body: `[${'{"n":1},'.repeat(262_144)}{}]` })).status, 204);
  });

  it('tells where to sign in, without a claims challenge', async () => {
    await using rig = await createIngestionRig();
    const without = await call(rig, { headers: { authorization: undefined } });
    const bad = await call(rig, { headers: { authorization: 'Bearer nonsense' } });
    assert.match(String(without.challenge), /^Bearer authorization_uri="https:\/\/[^"]+\/common"$/);
    assert.match(String(bad.challenge), /^Bearer authorization_uri="https:\/\/[^"]+\/common", error="invalid_token"$/);
  });

  it('answers 503 with a code while there is no room, and 429 to whoever brought too many bad tokens', async () => {
    await using rig = await createIngestionRig();
    rig.answer({ outcome: 'full', message: 'There is no room.' });
    assert.deepEqual([(await call(rig)).status, (await call(rig)).code], [503, 'ServiceUnavailable']);
    for (let bad = 0; bad < 10; bad += 1) await call(rig, { headers: { authorization: 'Bearer nonsense' } });
    assert.deepEqual([(await call(rig, { headers: { authorization: 'Bearer nonsense' } })).code], ['TooManyRequests']);
  });

  it('answers 500 with a code for a fault of its own, and tells nothing of it', async () => {
    await using rig = await createIngestionRig();
    rig.breakCache();
    const answer = await call(rig);
    assert.deepEqual([answer.status, answer.code, answer.header], [500, 'InternalServerError', 'InternalServerError']);
    assert.doesNotMatch(answer.message, /a fault of the relay/);
  });

  it('takes all three versions, and a parameter whose name is percent-encoded', async () => {
    await using rig = await createIngestionRig();
    for (const query of ['api-version=2023-01-01', 'api-version=2023-04-01-preview', 'api-version=2021-11-01-preview', 'api%2Dversion=2023-01-01'])
      assert.equal((await call(rig, { url: `${PATH}?${query}` })).status, 204, query);
    assert.equal(rig.kept.length, 4);
  });

  it('keeps nothing of an empty array, and says 204', async () => {
    await using rig = await createIngestionRig();
    assert.equal((await call(rig, { body: '[]' })).status, 204);
    assert.equal(rig.kept.length, 0);
  });

  it('knows streams of standard tables, and gives their records the kind of the table', async () => {
    await using rig = await createIngestionRig();
    for (const stream of ['Custom-Perf_CL', 'Microsoft-Syslog', 'Custom-My-Own', 'Custom-Alert_CL'])
      assert.equal((await call(rig, { url: `/dataCollectionRules/${RULE}/streams/${stream}${VERSION}` })).status, 204);
    assert.deepEqual(
      rig.kept.map(({ dataType, kind }) => [dataType, kind]),
      [
        ['Perf', 'Performance'],
        ['Syslog', 'Event'],
        ['My_Own', 'Event'],
        ['Alert', 'Alert'],
      ],
    );
  });

  it('takes a certificate alone, a password and an API key, and each is its own agent', async () => {
    await using rig = await createIngestionRig();
    const { identity, agentId } = await enrolAgent(rig);
    const port = await rig.intake.start();
    const json = { 'content-type': 'application/json' };
    const basic = `Basic ${Buffer.from(`fluent:${CLIENT_SECRET}`).toString('base64')}`;
    const target = { path: PATH + VERSION, body: ROWS };
    assert.equal((await send(port, identity, { ...target, headers: json })).status, 204);
    assert.equal((await send(port, undefined, { ...target, headers: { ...json, authorization: basic } })).status, 204);
    assert.equal((await send(port, identity, { ...target, headers: { ...json, 'x-api-key': CLIENT_SECRET } })).status, 204);
    assert.equal((await send(port, undefined, { ...target, headers: json })).status, 401);
    assert.equal((await send(port, identity, { ...target, headers: { ...json, authorization: 'Bearer nonsense' } })).status, 401);
    assert.deepEqual(
      rig.kept.map((batch) => batch.agentId),
      [agentId, CLIENT_ID, CLIENT_ID],
    );
  });

  it('refuses a token at the next request once its sender is suspended, and when its hour is over', async () => {
    await using rig = await createIngestionRig();
    const authorization = `Bearer ${await tokenOf(rig)}`;
    assert.equal((await call(rig, { headers: { authorization } })).status, 204);
    rig.group.registry.setState(BANK, CLIENT_ID as AgentId, 'suspended', 'the test says so');
    assert.deepEqual([(await call(rig, { headers: { authorization } })).code], ['OperationFailed']);
    rig.group.registry.setState(BANK, CLIENT_ID as AgentId, 'approved', 'again');
    rig.clock.advance(TOKEN_LIFE_MS);
    const late = await call(rig, { headers: { authorization } });
    assert.equal(late.code, 'AuthenticationFailed');
    assert.match(late.message, /expired/);
  });
});
