import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { eventually } from '../support/eventually.ts';
import { codeIn, connectTls, createIntakeRig, enrolAgent, type IntakeRig, readAll, send } from './rig.ts';

const failed = (reason: string): string => `relay_intake_connections_failed_total{reason="${reason}"}`;
const refused = (reason: string): string => `relay_intake_refused_total{reason="${reason}"}`;
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

async function expectOneLine(rig: IntakeRig, level: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
  const lines = await eventually('a line in the log', () => rig.lines(level).length > 0 && rig.lines('debug', 'info', 'warn', 'error'));
  assert.deepEqual(
    lines.map((line) => [line.level, Object.fromEntries(Object.keys(facts).map((name) => [name, line[name]]))]),
    [[level, facts]],
  );
}

describe('a connection that does not speak TLS', () => {
  it('is told so in plain text, counted and logged once', async () => {
    await using rig = await createIntakeRig();
    const socket = connect(await rig.intake.start(), '127.0.0.1');
    socket.write('POST /OperationalData.svc/PostJsonDataItems HTTP/1.1\r\nHost: relay\r\n\r\n');
    const answer = await readAll(socket);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\nContent-Type: text\/plain/);
    assert.match(bodyOf(answer), /^This port speaks HTTPS only/);
    assert.equal(await rig.figure(failed('not-tls')), 1);
    await expectOneLine(rig, 'info', { reason: 'not-tls', remoteAddress: '127.0.0.1' });
  });

  it('and sends nothing at all is ended when the handshake has taken too long', async () => {
    await using rig = await createIntakeRig({ options: { handshakeTimeout: 100 } });
    const socket = connect(await rig.intake.start(), '127.0.0.1');
    await readAll(socket);
    await eventually('the connection is counted', async () => (await rig.figure(failed('handshake-timeout'))) === 1);
    await expectOneLine(rig, 'info', { reason: 'handshake-timeout' });
  });

  it('and begins a handshake without going on is ended too', async () => {
    await using rig = await createIntakeRig({ options: { handshakeTimeout: 100 } });
    const socket = connect(await rig.intake.start(), '127.0.0.1');
    socket.write(Buffer.from([0x16, 0x03]));
    await readAll(socket);
    await eventually('the handshake is counted', async () => (await rig.figure(failed('handshake-timeout'))) === 1);
    await expectOneLine(rig, 'info', { reason: 'handshake-timeout' });
  });

  it('and goes away, as monitoring does, is counted but only logged for debugging', async () => {
    await using rig = await createIntakeRig();
    const socket = connect(await rig.intake.start(), '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    await eventually('the connection is counted', async () => (await rig.figure(failed('reset'))) === 1);
    await expectOneLine(rig, 'debug', { reason: 'reset' });
  });

  it('does not hold up the stop of the relay', async () => {
    const rig = await createIntakeRig();
    const port = await rig.intake.start();
    const silent = connect(port, '127.0.0.1');
    const half = connect(port, '127.0.0.1');
    half.write(Buffer.from([0x16, 0x03]));
    await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
    const ended = [silent, half].map(readAll);
    await rig[Symbol.asyncDispose]();
    assert.deepEqual(await Promise.all(ended), ['', '']);
  });
});

describe('a handshake', () => {
  it('with TLS 1.1 is refused and counted', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const [code] = (await once(client, 'exit')) as [number];
    assert.notEqual(code, 0);
    assert.equal(await rig.figure(failed('old-tls')), 1);
    await expectOneLine(rig, 'info', { reason: 'old-tls' });
  });

  it('offers HTTP/1.1 and nothing newer', async () => {
    await using rig = await createIntakeRig();
    const socket = await connectTls(await rig.intake.start(), undefined, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    await eventually('the connection is counted', async () => (await rig.figure('relay_intake_connections')) === 1);
    socket.destroy();
    await eventually('the connection is gone', async () => (await rig.figure('relay_intake_connections')) === 0);
  });

  it('that resumes an earlier one still knows whose certificate it was', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    const first = await connectTls(port, agent.identity, { maxVersion: 'TLSv1.2' });
    const session = first.getSession();
    first.destroy();
    const second = await connectTls(port, agent.identity, { maxVersion: 'TLSv1.2', ...(session ? { session } : {}) });
    assert.ok(second.isSessionReused());
    second.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nContent-Length: 36\r\n\r\n{"DataType":"A","IPName":"B","x":[]}`);
    assert.match(await readAll(second), /^HTTP\/1\.1 200 /);
    assert.equal(rig.kept[0]?.agentId, agent.agentId);
  });

  it('uses a renewed server certificate from the next connection on', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    rig.intake.useIdentity(agent.identity);
    const socket = await connectTls(port, undefined);
    assert.ok(socket.getPeerX509Certificate()?.raw.equals(agent.der));
    socket.destroy();
  });
});

describe('a request that is no HTTP', () => {
  it('is answered 400 with the code, counted and logged once', async () => {
    await using rig = await createIntakeRig();
    const socket = await connectTls(await rig.intake.start(), undefined);
    socket.write('HELO relay\r\n\r\n');
    const answer = await readAll(socket);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.equal(codeIn(bodyOf(answer)), 'relay.intake.bad-request');
    assert.equal(await rig.figure(refused('relay.intake.bad-request')), 1);
    await expectOneLine(rig, 'warn', { code: 'relay.intake.bad-request' });
  });

  it('because its headers are too long is answered 431', async () => {
    await using rig = await createIntakeRig();
    const socket = await connectTls(await rig.intake.start(), undefined);
    socket.write(`POST / HTTP/1.1\r\nHost: relay\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    const answer = await readAll(socket);
    assert.match(answer, /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    assert.equal(codeIn(bodyOf(answer)), 'relay.intake.long-headers');
    assert.equal(await rig.figure(refused('relay.intake.long-headers')), 1);
    await expectOneLine(rig, 'warn', { code: 'relay.intake.long-headers' });
  });

  it('because its headers never end is answered 408', async () => {
    await using rig = await createIntakeRig({ options: { headersTimeout: 100, bodyTimeout: 100 } });
    const socket = await connectTls(await rig.intake.start(), undefined);
    socket.write('POST / HTTP/1.1\r\nHost: relay\r\n');
    const answer = await readAll(socket);
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.equal(codeIn(bodyOf(answer)), 'relay.intake.too-slow');
    await expectOneLine(rig, 'warn', { code: 'relay.intake.too-slow' });
  });

  it('because its chunks are broken is answered 400, once', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const socket = await connectTls(await rig.intake.start(), agent.identity);
    socket.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n`);
    const answer = await readAll(socket);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.equal(codeIn(bodyOf(answer)), 'relay.intake.bad-request');
    assert.deepEqual(rig.kept, []);
    await expectOneLine(rig, 'warn', { code: 'relay.intake.bad-request' });
  });
});

describe('a sender', () => {
  it('whose body does not come in time is answered 408', async () => {
    await using rig = await createIntakeRig({ options: { headersTimeout: 100, bodyTimeout: 100 } });
    const agent = await enrolAgent(rig);
    const socket = await connectTls(await rig.intake.start(), agent.identity);
    socket.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n{"DataType":`);
    const answer = await readAll(socket);
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.match(answer, /^connection: close\r$/im);
    assert.equal(codeIn(bodyOf(answer)), 'relay.intake.too-slow');
    assert.equal(await rig.figure(refused('relay.intake.too-slow')), 1);
    assert.deepEqual(rig.kept, []);
    await expectOneLine(rig, 'warn', { code: 'relay.intake.too-slow' });
  });

  it('that goes away in the middle of its body leaves a line and a count, and nothing kept', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const socket = await connectTls(await rig.intake.start(), agent.identity);
    socket.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n`);
    await once(socket, 'data');
    socket.write('{"DataType":');
    socket.destroy();
    await eventually('the request is counted', async () => (await rig.figure(refused('relay.intake.aborted'))) === 1);
    await expectOneLine(rig, 'info', { code: 'relay.intake.aborted', agentId: agent.agentId });
    assert.deepEqual(rig.kept, []);
  });

  it('that goes away between two requests is neither counted nor logged', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    const wire = connect(port, '127.0.0.1');
    const socket = await connectTls(port, agent.identity, { socket: wire });
    socket.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nContent-Length: 36\r\n\r\n{"DataType":"A","IPName":"B","x":[]}`);
    await once(socket, 'data');
    wire.resetAndDestroy();
    await eventually('the connection is gone', async () => (await rig.figure('relay_intake_connections')) === 0);
    assert.deepEqual(rig.lines('debug', 'info', 'warn', 'error'), []);
  });

  it('of many at once is served like any other', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    const upload = { path: UPLOAD_PATH, body: '{"DataType":"A","IPName":"B","DataItems":[]}' };
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await send(port, agent.identity, upload)).status));
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(rig.kept.length, 50);
  });
});
