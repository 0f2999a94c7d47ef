import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding.ts';
import { freePort } from '../support/free-port.ts';
import { createPatient, DAY_MS, startTlsService, workspaceAt } from './patient.ts';

suite('the doctor finds what is planted on the road to a workspace', () => {
  test('nothing, when all is well: every step is told, with its time', async () => {
    await using patient = await createPatient();
    await using service = await startTlsService();
    const trustFile = await patient.write('root.pem', service.rootPem);
    const findings = await patient.findings(workspaceAt(`https://127.0.0.1:${service.port}`, { trustFile }));
    assert.deepEqual(
      findings.map(({ step, state }) => `${step} ${state}`),
      ['data: trust good', 'data: name good', 'data: route good', 'data: connection good', 'data: tls good', 'data: clock good', 'running relay skipped'],
    );
    assert.ok(findings.every(({ subject, tookMs }) => subject === 'bank' && tookMs >= 0));
    assert.match(whatOf(findings, 'data: route'), /127\.0\.0\.1/);
    assert.match(whatOf(findings, 'data: tls'), /TLSv1\.3, .* ← Relay .*, until \d{4}-/);
  });

  test('1: a name that does not resolve', async () => {
    await using patient = await createPatient();
    await using dns = await startNameServer(() => undefined);
    const findings = await patient.findings(workspaceAt('https://service.example', { path: { nameServers: [dns.address] } }), { limitMs: 15_000 });
    planted(findings, 'data: name', /service\.example does not resolve.*ENOTFOUND/s, /path\.nameServers|path\.addresses/);
  });

  test('2: a name that leads to a public address under private-link; nothing is connected to', async () => {
    await using patient = await createPatient();
    await using dns = await startNameServer(() => '203.0.113.7');
    const path = { kind: 'private-link', nameServers: [dns.address] };
    const findings = await patient.findings(workspaceAt('https://service.example', { path }), { limitMs: 15_000 });
    planted(findings, 'data: name', /203\.0\.113\.7 \(public\).*nothing is sent/, /forward the public zone of service\.example/);
    assert.ok(!findings.some(({ step }) => step === 'data: connection'));
  });

  test('3: a closed port', async () => {
    await using patient = await createPatient();
    const port = await freePort();
    const findings = await patient.findings(workspaceAt(`https://127.0.0.1:${port}`));
    planted(findings, 'data: connection', /cannot be reached.*ECONNREFUSED/, /Check address and port/);
  });

  test('4: a black hole, within the time limit', async () => {
    await using patient = await createPatient();
    await using hole = await startMute();
    const findings = await patient.findings(workspaceAt(`https://127.0.0.1:${hole.port}`), { limitMs: 300 });
    planted(findings, 'data: tls', /no answer within 0\.3 s/, /https service/);
  });

  test('5: a proxy that wants a password (407), and one that gets the wrong one', async () => {
    await using patient = await createPatient();
    await using proxy = await startProxy407();
    const toProxy = (more: object): object =>
      workspaceAt('https://service.example', { path: { kind: 'proxy', proxy: { host: '127.0.0.1', port: proxy.port, ...more } } });
    planted(await patient.findings(toProxy({})), 'data: through the proxy', /407, it wants a user/, /path\.proxy\.user/);
    const passwordFile = await patient.write('password', 'not-the-password\n');
    const findings = await patient.findings(toProxy({ user: 'relay', passwordFile }));
    planted(findings, 'data: through the proxy', /407, wrong user or password/, /path\.proxy\.passwordFile/);
    assert.ok(!JSON.stringify(findings).includes('not-the-password'));
    assert.deepEqual(proxy.asked, ['service.example:443', 'service.example:443']);
  });

  test('6: a certificate that has expired', async () => {
    await using patient = await createPatient();
    await using service = await startTlsService({ madeAt: Date.now() - 100 * DAY_MS });
    const trustFile = await patient.write('root.pem', service.rootPem);
    const findings = await patient.findings(workspaceAt(`https://127.0.0.1:${service.port}`, { trustFile }));
    planted(findings, 'data: tls', /expired on \d{4}-\d\d-\d\d/, /have its operator renew it/i);
  });

  test('7: a certificate for another name', async () => {
    await using patient = await createPatient();
    await using service = await startTlsService({ names: ['other.example'] });
    const trustFile = await patient.write('root.pem', service.rootPem);
    const findings = await patient.findings(workspaceAt(`https://127.0.0.1:${service.port}`, { trustFile }));
    planted(findings, 'data: tls', /not for 127\.0\.0\.1; it is for DNS:other\.example/, /another server/);
  });

  test('8: a certificate of an unknown authority, as of a device that looks into TLS', async () => {
    await using patient = await createPatient();
    await using service = await startTlsService();
    const findings = await patient.findings(workspaceAt(`https://127.0.0.1:${service.port}`));
    planted(findings, 'data: tls', /signed by .*not trusted/, /trustFile/);
  });

  test('9: a clock that is off by an hour', async () => {
    await using patient = await createPatient();
    await using service = await startTlsService({ clockOffsetMs: 3_600_000 });
    const trustFile = await patient.write('root.pem', service.rootPem);
    const findings = await patient.findings(workspaceAt(`https://127.0.0.1:${service.port}`, { trustFile }));
    planted(findings, 'data: clock', /36\d\d s behind|3600 s behind|3599 s behind/, /time service/);
  });

  test('10: a source address that this machine does not have', async () => {
    await using patient = await createPatient();
    const path = { kind: 'expressroute', peers: ['127.0.0.0/8'], sourceAddress: '203.0.113.9' };
    const findings = await patient.findings(workspaceAt('https://127.0.0.1:443', { path }));
    planted(findings, 'data: route', /203\.0\.113\.9/, /path\.sourceAddress/);
  });

  test('a peer outside the prefixes under expressroute', async () => {
    await using patient = await createPatient();
    const path = { kind: 'expressroute', peers: ['198.51.100.0/24'], sourceAddress: '127.0.0.1' };
    const findings = await patient.findings(workspaceAt('https://127.0.0.1:443', { path }));
    planted(findings, 'data: name', /does not allow/, /path\.peers/);
  });
});

function planted(findings: readonly Finding[], step: string, what: RegExp, remedy: RegExp): void {
  const found = findings.find((finding) => finding.step === step);
  assert.ok(found && 'remedy' in found && found.state === 'wrong', JSON.stringify(findings, null, 1));
  assert.match(found.what, what);
  assert.match(found.remedy, remedy);
}

function whatOf(findings: readonly Finding[], step: string): string {
  return findings.find((finding) => finding.step === step)?.what ?? 'no such step';
}

/** Takes connections and says nothing. */
async function startMute(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function startProxy407(): Promise<AsyncDisposable & { readonly port: number; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createHttpServer();
  server.on('connect', (request, socket: Socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A name server that knows one A record for every name, or none. */
async function startNameServer(answer: () => string | undefined): Promise<AsyncDisposable & { readonly address: string }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5;
    const isA = query.readUInt16BE(end - 4) === 1;
    const found = isA ? answer() : undefined;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(answer() === undefined ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(found === undefined ? 0 : 1, 6);
    header.fill(0, 8, 12);
    const record = found === undefined ? [] : [Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...found.split('.').map(Number)])];
    socket.send(Buffer.concat([header, query.subarray(12, end), ...record]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}
