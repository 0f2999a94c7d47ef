import assert from 'node:assert/strict';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { messageType } from '../../../src/intake/protocols/otlp/messages.ts';
import { createRequest, encodeRequest, JSON_TYPE, type OtlpRequest, PROTOBUF } from '../../support/otlp-requests.ts';
import { API_KEY, BANK, createOtlpRig, type OtlpAnswer, type OtlpCall, type OtlpRig, plainOf } from './rig.ts';

const BOTH = [PROTOBUF, JSON_TYPE] as const;
const HELLO: OtlpRequest = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'hello' } }] }] }] };
const ENCODINGS = [
  ['identity', (body: Buffer) => body],
  ['gzip', (body: Buffer) => gzipSync(body)],
  ['deflate', (body: Buffer) => deflateSync(body)],
] as const;

interface Status {
  readonly code: number;
  readonly message: string;
}

interface Response {
  readonly partialSuccess?: { readonly rejectedLogRecords: unknown; readonly errorMessage: string };
}

function decoded<Message>(name: string, { type, body }: OtlpAnswer): Message {
  return type === PROTOBUF ? messageType<Message>(name).decode(body) : (JSON.parse(body.toString()) as Message);
}

function partialSuccessIn(answer: OtlpAnswer): readonly [number, string] | undefined {
  const { partialSuccess } = decoded<Response>('ExportLogsServiceResponse', answer);
  return partialSuccess ? [Number(partialSuccess.rejectedLogRecords), partialSuccess.errorMessage] : undefined;
}

describe('log records by OTLP', () => {
  it('are kept as custom records of their sender, and then answered with 200 in the format of the request', async () => {
    await using rig = await createOtlpRig();
    for (const type of BOTH) {
      for (const [encoding, encode] of ENCODINGS) {
        rig.kept.length = 0;
        const answer = await rig.post(encode(encodeRequest(type, HELLO)), { type, headers: { 'content-encoding': encoding } });
        assert.deepEqual([answer.status, answer.type, answer.body.toString()], [200, type, type === JSON_TYPE ? '{}' : '']);
        const [batch] = rig.kept;
        assert.ok(batch);
        assert.deepEqual(
          [batch.workspaceId, batch.agentId, batch.dataType, batch.solution, batch.kind, batch.origin],
          [
            BANK,
            rig.agentId,
            'OTelLogs',
            'CustomLog',
            'Event',
            {
              protocol: 'operational-data',
              service: 'operational-data',
              encoding: encoding === 'identity' ? 'identity' : 'gzip',
              headers: { 'log-type': 'OTelLogs', 'time-generated-field': 'TimeGenerated' },
            },
          ],
        );
        assert.equal(plainOf(batch).toString(), '[{"Body":"hello"}]');
      }
    }
  });

  it('may come with parameters of the Content-Type, and with a slash at the end of the path', async () => {
    await using rig = await createOtlpRig();
    const answer = await rig.post(encodeRequest(JSON_TYPE, HELLO), { type: 'Application/JSON; charset=utf-8', path: '/v1/logs/' });
    assert.deepEqual([answer.status, answer.type, rig.rows()], [200, JSON_TYPE, [{ Body: 'hello' }]]);
  });

  it('that are none are answered with 200, and nothing is kept', async () => {
    await using rig = await createOtlpRig();
    assert.equal((await rig.post(Buffer.alloc(0))).status, 200);
    assert.equal((await rig.post(Buffer.from('{}'), { type: JSON_TYPE })).status, 200);
    assert.equal(rig.kept.length, 0);
  });

  it('of a large request become several batches, all kept before the answer', async () => {
    await using rig = await createOtlpRig({ maxInflatedBytes: 1024 * 1024 });
    for (const [encoding, encode] of ENCODINGS.slice(0, 2)) {
      rig.kept.length = 0;
      const answer = await rig.post(encode(encodeRequest(PROTOBUF, createRequest(5_000))), { headers: { 'content-encoding': encoding } });
      assert.equal(answer.status, 200);
      assert.equal(rig.kept.length, 3);
      assert.equal(new Set(rig.kept.map(({ id }) => id)).size, 3);
      assert.deepEqual([rig.rows().length, new Set(rig.rows().map(({ Body }) => Body)).size], [5_000, 5_000]);
    }
  });

  it('are not acknowledged when a later batch of the same request is not kept', async () => {
    await using rig = await createOtlpRig();
    rig.answer({ outcome: 'full', message: 'The cache is full.' }, 1);
    const answer = await rig.post(encodeRequest(PROTOBUF, createRequest(5_000)));
    assert.deepEqual([answer.status, rig.kept.length], [503, 1]);
  });

  it('that cannot be kept are rejected alone, told to the sender, and logged', async () => {
    const large = { body: { stringValue: 'x'.repeat(600 * 1024) }, attributes: [{ key: 'k', value: { stringValue: 'y'.repeat(600 * 1024) } }] };
    const good = { body: { stringValue: 'good' } };
    for (const type of BOTH) {
      await using rig = await createOtlpRig({ maxInflatedBytes: 4 * 1024 * 1024 });
      const answer = await rig.post(encodeRequest(type, { resourceLogs: [{ scopeLogs: [{ logRecords: [good, large, good] }] }] }), { type });
      const told = '1 of 3 log records were not kept. The first: it is larger than 1047552 bytes, with its resource and scope.';
      assert.deepEqual([answer.status, answer.type, partialSuccessIn(answer)], [200, type, [1, told]]);
      assert.deepEqual(rig.rows(), [{ Body: 'good' }, { Body: 'good' }]);
      assert.deepEqual(rig.warnings(), [told]);

      const none = await rig.post(encodeRequest(type, { resourceLogs: [{ scopeLogs: [{ logRecords: [large] }] }] }), { type });
      assert.deepEqual([none.status, partialSuccessIn(none)?.[0], rig.kept.length], [200, 1, 1]);
    }
  });
});

type Refused = readonly [what: string, call: OtlpCall & { readonly body?: Buffer }, status: number, code: number, prepare?: (rig: OtlpRig) => void];

const GZIP_OF_2_MIB = gzipSync(Buffer.alloc(2 * 1024 * 1024));

/** Each row: what is wrong, what is sent, and the status and code of google.rpc that are answered, in both formats. */
const REFUSED: readonly Refused[] = [
  ['no credentials', { headers: { 'x-api-key': undefined } }, 401, 16],
  ['another API key', { headers: { 'x-api-key': 'Throwaway' } }, 401, 16],
  ['a password that is wrong', { headers: { 'x-api-key': undefined, authorization: `Basic ${Buffer.from('otel:wrong').toString('base64')}` } }, 401, 16],
  ['a token that is none', { headers: { 'x-api-key': undefined, authorization: 'Bearer none' } }, 401, 16],
  ['a sender that was suspended', {}, 403, 7, ({ group, agentId }) => void group.registry.setState(BANK, agentId, 'suspended', 'the test says so')],
  ['a body that is no request', { body: Buffer.from('[broken') }, 400, 3],
  ['gzip that is none', { headers: { 'content-encoding': 'gzip' } }, 400, 3],
  ['an encoding that is not known', { headers: { 'content-encoding': 'zstd' } }, 415, 3],
  ['a body that is too large', { body: Buffer.alloc(1024 * 1024 + 1, ' ') }, 413, 8],
  ['a body that is too large once inflated', { body: GZIP_OF_2_MIB, headers: { 'content-encoding': 'gzip' } }, 413, 8],
  ['a body that is too large on the wire', { body: Buffer.alloc(1024 * 1024 + 64 * 1024 + 1), headers: { 'content-encoding': 'gzip' } }, 413, 8],
  ['metrics', { path: '/v1/metrics' }, 404, 12],
  ['traces', { path: '/v1/traces' }, 404, 12],
  ['another method', { method: 'PUT' }, 405, 12],
  ['a full cache', {}, 503, 14, (rig) => rig.answer({ outcome: 'full', message: 'The cache is full.' })],
  ['a cache that is away', {}, 503, 14, (rig) => rig.answer({ outcome: 'unavailable', message: 'Redis is away.' })],
  ['a fault of the relay', {}, 503, 14, (rig) => rig.fail(new Error('the disk is on fire'))],
];

describe('OTLP refuses', () => {
  for (const [what, { body, ...call }, status, code, prepare] of REFUSED) {
    it(`${what} with ${status}, in a Status of the request's format, and keeps nothing`, async () => {
      await using rig = await createOtlpRig();
      prepare?.(rig);
      for (const type of BOTH) {
        const answer = await rig.post(body ?? encodeRequest(type, HELLO), { type, ...call });
        const told = decoded<Status>('Status', answer);
        assert.deepEqual([answer.status, String(answer.type).split(';')[0], told.code], [status, type, code]);
        assert.match(told.message, /^[A-Z].+[.\w]$/);
        assert.doesNotMatch(told.message, /fire|throwaway/i);
        assert.equal(rig.kept.length, 0);
        assert.equal(answer.headers['retry-after'] !== undefined, status === 503);
        assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Basic realm="relay"' : undefined);
        assert.equal(answer.headers['allow'], status === 405 ? 'POST' : undefined);
      }
    });
  }

  it('another Content-Type with 415, in JSON', async () => {
    await using rig = await createOtlpRig();
    for (const type of ['text/plain', 'application/protobuf', '']) {
      const answer = await rig.post(encodeRequest(PROTOBUF, HELLO), { type });
      assert.deepEqual([answer.status, String(answer.type).split(';')[0], decoded<Status>('Status', answer).code], [415, JSON_TYPE, 3]);
    }
    assert.equal(rig.kept.length, 0);
  });

  it('an address with 429 that brought too many bad credentials, but good ones all the while', async () => {
    await using rig = await createOtlpRig();
    const body = encodeRequest(PROTOBUF, HELLO);
    for (let attempt = 0; attempt < 20; attempt += 1) assert.equal((await rig.post(body, { headers: { 'x-api-key': 'guess' } })).status, 401);
    assert.equal((await rig.post(body, { headers: { 'x-api-key': API_KEY } })).status, 200);
    const answer = await rig.post(body, { headers: { 'x-api-key': 'guess' } });
    assert.deepEqual([answer.status, decoded<Status>('Status', answer).code], [429, 8]);
    assert.match(String(answer.headers['retry-after']), /^\d+$/);
  });

  it('metrics and traces in words that say what is taken', async () => {
    await using rig = await createOtlpRig();
    const answer = await rig.post(Buffer.alloc(0), { path: '/v1/metrics', type: JSON_TYPE });
    assert.equal(decoded<Status>('Status', answer).message, 'The relay takes log records by OTLP (/v1/logs), no metrics. Send those elsewhere.');
  });
});

/** The same request over a real connection, byte by byte as told. */
async function statusOver(rig: OtlpRig, send: (outgoing: ClientRequest) => void): Promise<OtlpAnswer> {
  const port = await rig.intake.start();
  const headers = { 'content-type': PROTOBUF, 'x-api-key': API_KEY };
  return await new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/v1/logs', headers, rejectUnauthorized: false, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], body: Buffer.concat(chunks), headers: response.headers }),
      );
    });
    outgoing.on('error', reject);
    send(outgoing);
  });
}

describe('OTLP over TLS', () => {
  it('takes a body in chunks, and answers 200 with an empty body of its own type', async () => {
    await using rig = await createOtlpRig();
    const answer = await statusOver(rig, (outgoing) => {
      const body = encodeRequest(PROTOBUF, HELLO);
      outgoing.write(body.subarray(0, 5));
      outgoing.end(body.subarray(5));
    });
    assert.deepEqual([answer.status, answer.type, answer.body.length, answer.headers['content-length']], [200, PROTOBUF, 0, '0']);
    assert.deepEqual(rig.rows(), [{ Body: 'hello' }]);
  });

  it('answers a body that does not come with 503, so that its sender comes back', async () => {
    await using rig = await createOtlpRig({ bodyTimeoutMs: 200 });
    const answer = await statusOver(rig, (outgoing) => void outgoing.write('x'));
    assert.deepEqual([answer.status, decoded<Status>('Status', answer).code, rig.kept.length], [503, 14, 0]);
    assert.ok(answer.headers['retry-after']);
  });
});
