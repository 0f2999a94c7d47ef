import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { DIAGNOSTICS_PATH, RENEW_PATH, TELEMETRY_PATH, TOPOLOGY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { codeIn, connectTls, createIntakeRig, type EnrolledAgent, enrolAgent, type IntakeRig, readAll, type Sent, send } from './rig.ts';

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
const ENVELOPE = '{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{"Message":"hello"}]}';
const CUSTOM = `${UPLOAD_PATH}?api-version=2016-04-01`;
const deflate = { 'content-encoding': 'deflate' };
const gzip = { 'content-encoding': 'gzip' };

interface ListeningRig extends IntakeRig {
  readonly agent: EnrolledAgent;
  readonly port: number;
}

async function listen(): Promise<ListeningRig> {
  const rig = await createIntakeRig({ options: { maxInflatedSize: 16 * MIB } });
  return { ...rig, agent: await enrolAgent(rig), port: await rig.intake.start() };
}

interface Case {
  readonly what: string;
  readonly sent: Sent;
  readonly status: number;
  readonly code: string;
  readonly level?: string;
}

const REFUSED: readonly Case[] = [
  { what: 'at an unknown path', sent: { path: '/nowhere' }, status: 404, code: 'relay.intake.unknown-path', level: 'info' },
  { what: 'with GET', sent: { method: 'GET', path: UPLOAD_PATH }, status: 404, code: 'relay.intake.unknown-path', level: 'info' },
  { what: 'with a broken percent code in its path', sent: { method: 'PUT', path: '/blobs/%zz' }, status: 400, code: 'relay.intake.bad-request' },
  {
    what: 'with a Content-Encoding of its own',
    sent: { path: UPLOAD_PATH, headers: { 'content-encoding': 'br' }, body: 'x' },
    status: 415,
    code: 'relay.intake.unknown-encoding',
  },
  { what: 'of custom records without a Log-Type', sent: { path: CUSTOM, body: '[]' }, status: 400, code: 'relay.intake.bad-log-type' },
  {
    what: 'of custom records for the Log-Type 1abc',
    sent: { path: CUSTOM, headers: { 'log-type': '1abc' }, body: '[]' },
    status: 400,
    code: 'relay.intake.bad-log-type',
  },
  {
    what: 'of custom records for a Log-Type of 102 letters',
    sent: { path: CUSTOM, headers: { 'log-type': 'a'.repeat(102) }, body: '[]' },
    status: 400,
    code: 'relay.intake.bad-log-type',
  },
  {
    what: 'over the limit by its Content-Length',
    sent: { path: UPLOAD_PATH, body: Buffer.alloc(17 * MIB, 0x20) },
    status: 413,
    code: 'relay.intake.too-large',
  },
  {
    what: 'over the limit by its chunks',
    sent: { path: UPLOAD_PATH, headers: { 'transfer-encoding': 'chunked' }, body: Buffer.alloc(17 * MIB, 0x20) },
    status: 413,
    code: 'relay.intake.too-large',
  },
  {
    what: 'just over the limit and not compressed',
    sent: { path: UPLOAD_PATH, body: Buffer.alloc(16 * MIB + 1, ENVELOPE) },
    status: 413,
    code: 'relay.intake.too-large',
  },
  {
    what: 'of zeros that inflate to 64 MiB',
    sent: { path: UPLOAD_PATH, headers: deflate, body: deflateSync(Buffer.alloc(64 * MIB)) },
    status: 413,
    code: 'relay.intake.too-large',
  },
  {
    what: 'of diagnostics that inflate to 64 MiB',
    sent: { path: DIAGNOSTICS_PATH, headers: deflate, body: deflateSync(Buffer.alloc(64 * MIB)) },
    status: 413,
    code: 'relay.intake.too-large',
  },
  {
    what: 'for uploading a log file without its name',
    sent: { path: '/ContainerService.svc/GetBlobUploadUri', body: 'null' },
    status: 400,
    code: 'relay.intake.bad-request',
  },
];

const QUARANTINED: readonly { readonly what: string; readonly sent: Sent; readonly reason: string }[] = [
  { what: 'without a byte', sent: { path: UPLOAD_PATH }, reason: 'empty' },
  { what: 'of custom records without a byte', sent: { path: CUSTOM, headers: { 'log-type': 'Demo' } }, reason: 'empty' },
  { what: 'that says deflate and is not', sent: { path: UPLOAD_PATH, headers: deflate, body: ENVELOPE }, reason: 'not-deflate' },
  { what: 'that says gzip and is deflate', sent: { path: UPLOAD_PATH, headers: gzip, body: deflateSync(ENVELOPE) }, reason: 'not-gzip' },
  { what: 'that is text', sent: { path: UPLOAD_PATH, body: 'hello' }, reason: 'not-json' },
  { what: 'that is an array', sent: { path: UPLOAD_PATH, headers: deflate, body: deflateSync('[1]') }, reason: 'not-json' },
  { what: 'that is an object with more behind it', sent: { path: UPLOAD_PATH, body: '{"IPName":"A"} {}' }, reason: 'not-json' },
  { what: 'without a DataType', sent: { path: UPLOAD_PATH, body: '{"IPName":"LogManagement","DataItems":[]}' }, reason: 'no-data-type' },
  { what: 'whose DataType is a number', sent: { path: UPLOAD_PATH, body: '{"DataType":5,"DataItems":[]}' }, reason: 'no-data-type' },
  { what: 'whose DataType stands only within an item', sent: { path: UPLOAD_PATH, body: '{"DataItems":[{"DataType":"A"}]}' }, reason: 'no-data-type' },
];

describe('an upload', () => {
  for (const { what, sent, status, code, level = 'warn' } of REFUSED) {
    it(`${what} is refused with ${status}, a reason, a count and a line`, async () => {
      await using rig = await listen();
      const answer = await send(rig.port, rig.agent.identity, sent);
      assert.deepEqual([answer.status, codeIn(answer.text)], [status, code]);
      assert.match(answer.text, /"message":"[A-Z].{20,}/);
      assert.equal(await rig.figure(`relay_intake_refused_total{reason="${code}"}`), 1);
      assert.deepEqual(
        rig.lines('debug', 'info', 'warn', 'error').map((line) => [line.level, line['code'], line['remoteAddress']]),
        [[level, code, '127.0.0.1']],
      );
      assert.deepEqual([rig.kept, rig.aside], [[], []]);
    });
  }

  for (const { what, sent, reason } of QUARANTINED) {
    it(`${what} is taken with 200 and put aside, because a refusal would cost the agent everything it sent with it`, async () => {
      await using rig = await listen();
      const answer = await send(rig.port, rig.agent.identity, sent);
      assert.equal(answer.status, 200);
      assert.match(answer.text, new RegExp(`"reason":"${reason}"`));
      assert.deepEqual(
        rig.aside.map(({ batch, cause }) => [batch.agentId, String(batch.body), cause]),
        [[rig.agent.agentId, String(sent.body ?? ''), { reason: 'quarantined', answer: reason }]],
      );
      assert.equal(answer.headers['x-relay-batch-id'], rig.aside[0]?.batch.id);
      assert.equal(await rig.figure(`relay_intake_quarantined_total{reason="${reason}"}`), 1);
      assert.deepEqual(
        rig.lines('debug', 'info', 'warn', 'error').map((line) => [line.level, line['reason']]),
        [['warn', reason]],
      );
      assert.deepEqual(rig.kept, []);
    });
  }

  it('whose DataType comes after 5 MB of items is read as well', async () => {
    await using rig = await listen();
    const item = JSON.stringify({ Message: 'x'.repeat(990) });
    const text = `{"DataItems":[${Array.from({ length: 5_000 }, () => item).join(',')}],"IPName":"LogManagement","DataType":"LINUX_PERF_BLOB"}`;
    for (const [headers, body] of [
      [deflate, deflateSync(text)],
      [gzip, gzipSync(text)],
      [{}, Buffer.from(text)],
    ] as const) {
      const { status } = await send(rig.port, rig.agent.identity, { path: UPLOAD_PATH, headers, body });
      assert.equal(status, 200);
      assert.ok(rig.kept.at(-1)?.body.equals(body));
    }
    assert.deepEqual(
      rig.kept.map(({ dataType, solution, kind }) => [dataType, solution, kind]),
      Array.from({ length: 3 }, () => ['LINUX_PERF_BLOB', 'LogManagement', 'Performance']),
    );
  });

  it('with any Content-Type, or a broken one, is read the same', async () => {
    await using rig = await listen();
    for (const type of ['application/x-www-form-urlencoded', 'text/xml', 'nonsense', 'multipart/form-data']) {
      const { status, text } = await send(rig.port, rig.agent.identity, { path: UPLOAD_PATH, headers: { 'content-type': type }, body: ENVELOPE });
      assert.equal(status, 200, `${type}: ${text}`);
    }
    assert.equal(rig.kept.length, 4);
  });

  it('that the cache has no room for is refused with 503, the reason and when to come back', async () => {
    await using rig = await listen();
    for (const [outcome, seconds] of [
      ['full', '60'],
      ['unavailable', '10'],
    ] as const) {
      rig.answer({ outcome, message: 'The disk says no.' });
      const answer = await send(rig.port, rig.agent.identity, { path: UPLOAD_PATH, body: ENVELOPE });
      assert.deepEqual([answer.status, codeIn(answer.text), answer.headers['retry-after']], [503, `relay.cache.${outcome}`, seconds]);
      assert.match(answer.text, /The disk says no\./);
    }
    assert.equal(await rig.figure(`relay_received_batches_total{workspace="${rig.group.registry.list()[0]?.workspaceId}",kind="Event"}`), 0);
  });

  it('that meets a fault of ours is answered 500 without what went wrong, which the log tells', async () => {
    await using rig = await listen();
    rig.intake.hapi.route({
      method: 'POST',
      path: '/fault',
      handler: () => {
        throw new Error('the secret of the house');
      },
    });
    const answer = await send(rig.port, rig.agent.identity, { path: '/fault' });
    assert.deepEqual([answer.status, codeIn(answer.text)], [500, 'relay.internal']);
    assert.doesNotMatch(answer.text, /secret of the house/);
    const [line, ...more] = rig.lines();
    assert.deepEqual([line?.level, more.length], ['error', 0]);
    assert.match(JSON.stringify(line), /the secret of the house/);
  });
});

describe('a machine', () => {
  it('without a certificate is refused everywhere, with the reason', async () => {
    await using rig = await listen();
    const answer = await send(rig.port, undefined, { path: UPLOAD_PATH, body: ENVELOPE });
    assert.deepEqual([answer.status, codeIn(answer.text)], [403, 'relay.agent.no-certificate']);
    for (const path of [TOPOLOGY_PATH, TELEMETRY_PATH, RENEW_PATH]) {
      const { status, text } = await send(rig.port, undefined, { path, body: '<x/>' });
      assert.equal(status, 403, path);
      assert.match(text, /<Reason>no-certificate<\/Reason>/);
    }
    assert.equal(rig.lines('warn').length, 4);
    assert.equal(await rig.figure('relay_intake_refused_total{reason="relay.agent.no-certificate"}'), 4);
  });

  it('with a certificate that nobody enrolled, or whose time is over, is refused with the reason', async () => {
    await using rig = await listen();
    const stranger = await createIntakeRig();
    const unknown = await enrolAgent(stranger);
    await stranger[Symbol.asyncDispose]();
    const upload = { path: UPLOAD_PATH, body: ENVELOPE };
    assert.equal(codeIn((await send(rig.port, unknown.identity, upload)).text), 'relay.agent.unknown-certificate');
    rig.clock.advance(91 * DAY_MS);
    assert.equal(codeIn((await send(rig.port, rig.agent.identity, upload)).text), 'relay.agent.certificate-expired');
    rig.clock.advance(-92 * DAY_MS);
    assert.equal(codeIn((await send(rig.port, rig.agent.identity, upload)).text), 'relay.agent.certificate-expired');
    assert.deepEqual(
      rig.lines().map(({ level, code }) => [level, code]),
      [
        ['warn', 'relay.agent.unknown-certificate'],
        ['warn', 'relay.agent.certificate-expired'],
        ['warn', 'relay.agent.certificate-expired'],
      ],
    );
  });

  it('that is suspended while its connection is open is refused from its next request on', async () => {
    await using rig = await listen();
    const socket = await connectTls(rig.port, rig.agent.identity);
    const answers = readAll(socket);
    const head = `POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nContent-Length: ${ENVELOPE.length}\r\n`;
    socket.write(`${head}\r\n${ENVELOPE}`);
    await new Promise((resolve) => socket.once('data', resolve));
    const [agent] = rig.group.registry.list();
    rig.group.registry.setState(agent?.workspaceId ?? assert.fail(), agent?.agentId ?? assert.fail(), 'suspended', 'stolen');
    socket.write(`${head}Connection: close\r\n\r\n${ENVELOPE}`);
    assert.deepEqual((await answers).match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 403']);
    assert.equal(rig.kept.length, 1);
  });

  it('that sends nonsense to the agent service is refused with a one-line reason', async () => {
    await using rig = await listen();
    for (const [path, reason] of [
      [TOPOLOGY_PATH, 'InvalidTopologyRequest'],
      [RENEW_PATH, 'CertificateMismatch'],
    ] as const) {
      for (const body of ['', '<x/>', '<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>', '\0\0\0']) {
        const { status, text } = await send(rig.port, rig.agent.identity, { path, body });
        assert.ok(status === 400 || status === 403);
        assert.match(text, new RegExp(`^[^\\n]*<Reason>${reason}</Reason>[^\\n]*$`));
      }
    }
    const tooLong = await send(rig.port, rig.agent.identity, { path: TOPOLOGY_PATH, body: 'x'.repeat(65 * 1024) });
    assert.deepEqual([tooLong.status, codeIn(tooLong.text)], [413, 'relay.intake.too-large']);
  });
});

describe('bodies made to burst', () => {
  const head = '{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[';
  const bombs = [
    [deflate, deflateSync(Buffer.alloc(64 * MIB))],
    [deflate, deflateSync(Buffer.concat([Buffer.from(head), Buffer.alloc(64 * MIB)]))],
    [gzip, gzipSync(Buffer.concat([Buffer.from(head), Buffer.alloc(64 * MIB)]))],
    [deflate, deflateSync(Buffer.concat([Buffer.from('{"DataItems":["'), Buffer.alloc(64 * MIB, 'x')]))],
  ] as const;

  it('are refused one after the other, and the memory stays where it is', { timeout: 120_000 }, async () => {
    await using rig = await listen();
    const burst = async (rounds: number): Promise<void> => {
      for (let at = 0; at < rounds; at += 1) {
        const [headers, body] = bombs[at % bombs.length] ?? assert.fail();
        const { status } = await send(rig.port, rig.agent.identity, { path: UPLOAD_PATH, headers, body });
        assert.equal(status, 413);
      }
    };
    await burst(8);
    const before = process.memoryUsage().rss;
    await burst(40);
    // Inflated they would be 2.5 GiB.
    assert.ok(process.memoryUsage().rss - before < 128 * MIB, `grew by ${(process.memoryUsage().rss - before) / MIB} MiB`);
    assert.deepEqual([rig.kept, rig.aside], [[], []]);
    assert.equal(await rig.figure('relay_intake_refused_total{reason="relay.intake.too-large"}'), 48);
  });
});
