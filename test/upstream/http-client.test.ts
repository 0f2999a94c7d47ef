import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { createHttpClient, type HttpClient, type HttpClientSettings, type Reached } from '../../src/upstream/http-client.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK } from '../management-group/rig.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startHttpsServer } from './https-server.ts';

type TestClient = HttpClient & AsyncDisposable;

function clientFor(trust: string | undefined, more: Partial<HttpClientSettings> = {}): TestClient {
  const client = createHttpClient({ connections: 4, connectTimeoutMs: 5_000, requestTimeoutMs: 5_000, trust, ...more });
  return { ...client, [Symbol.asyncDispose]: () => client.close() };
}

function reasonOf(reached: Reached): string {
  return reached.reached ? `HTTP ${reached.answer.status}` : reached.reason;
}

describe('the HTTP client', () => {
  it('posts bytes and headers as given and hands back the answer', async () => {
    await using server = await startHttpsServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const got = { method: request.method, url: request.url, mine: request.headers['x-mine'], body: Buffer.concat(chunks).toString('hex') };
        response.writeHead(429, { 'retry-after': '7' }).end(JSON.stringify(got));
      });
    });
    await using client = clientFor(server.rootPem);
    const reached = await client.post(`${server.url}/a?b=c`, { 'x-mine': 'yes' }, Buffer.from([0, 1, 255]));
    assert.deepEqual(reached, {
      reached: true,
      answer: { status: 429, retryAfter: '7', text: '{"method":"POST","url":"/a?b=c","mine":"yes","body":"0001ff"}' },
    });
  });

  it('keeps its connection from one request to the next', async () => {
    await using server = await startHttpsServer((request, response) => void request.resume().on('end', () => response.end('ok')));
    await using client = clientFor(server.rootPem, { connections: 1 });
    for (let at = 0; at < 5; at += 1) assert.equal(reasonOf(await client.post(server.url, {}, 'x')), 'HTTP 200');
    assert.equal(server.connections(), 1);
  });

  it('opens no more connections than it may', async () => {
    await using server = await startHttpsServer((request, response) => void request.resume().on('end', () => response.end('ok')));
    await using client = clientFor(server.rootPem, { connections: 2 });
    const all = await Promise.all(Array.from({ length: 20 }, () => client.post(server.url, {}, 'x')));
    assert.ok(all.every(({ reached }) => reached));
    assert.ok(server.connections() <= 2);
  });

  it('shows its certificate from the moment it is given one', async () => {
    await using server = await startHttpsServer((request, response) => {
      response.end((request.socket as TLSSocket).getPeerX509Certificate()?.raw.toString('base64') ?? 'none');
    });
    await using client = clientFor(server.rootPem);
    const identity = await createAgentIdentity(BANK, parseAgentId(crypto.randomUUID()), Date.now(), 1);
    const shown = async (): Promise<string | undefined> => {
      const reached = await client.post(server.url, {}, 'x');
      return reached.reached ? reached.answer.text : undefined;
    };
    assert.equal(await shown(), 'none');
    client.useIdentity(identity);
    assert.equal(await shown(), fromPem(identity.certificate).toString('base64'));
  });

  it('says that nobody listens', async () => {
    await using client = clientFor(undefined);
    assert.match(reasonOf(await client.post(`https://127.0.0.1:${await freePort()}`, {}, 'x')), /^ECONNREFUSED: /);
  });

  it('says that a name is unknown', async () => {
    await using client = clientFor(undefined);
    assert.match(reasonOf(await client.post('https://nowhere.invalid', {}, 'x')), /^(ENOTFOUND|EAI_AGAIN): .*nowhere\.invalid/);
  });

  it('does not send a byte to a server whose authority it does not trust', async () => {
    let requests = 0;
    await using server = await startHttpsServer((_request, response) => {
      requests += 1;
      response.end();
    });
    await using client = clientFor(undefined);
    assert.match(reasonOf(await client.post(server.url, {}, 'x')), /certificate/);
    assert.equal(requests, 0);
  });

  it('does not send a byte to a server whose certificate names another', async () => {
    await using server = await startHttpsServer((_request, response) => response.end(), ['elsewhere.test']);
    await using client = clientFor(server.rootPem);
    assert.match(reasonOf(await client.post(server.url, {}, 'x')), /^ERR_TLS_CERT_ALTNAME_INVALID: /);
  });

  it('gives up on a server that takes the connection and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await using client = clientFor(undefined, { connectTimeoutMs: 100, requestTimeoutMs: 100 });
    assert.match(
      reasonOf(await client.post(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`, {}, 'x')),
      /^UND_ERR_CONNECT_TIMEOUT|no answer in time/,
    );
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('gives up on an answer that does not come, and on one that never ends', async () => {
    await using server = await startHttpsServer((request, response) => {
      if (request.url !== '/drip') return;
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    await using client = clientFor(server.rootPem, { connectTimeoutMs: 200, requestTimeoutMs: 200 });
    for (const path of ['/never', '/drip'])
      assert.match(reasonOf(await client.post(server.url + path, {}, 'x')), /no answer in time|UND_ERR_HEADERS_TIMEOUT/, path);
  });

  it('says that the connection broke half way through the answer', async () => {
    await using server = await startHttpsServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    });
    await using client = clientFor(server.rootPem);
    assert.match(reasonOf(await client.post(server.url, {}, 'x')), /^(UND_ERR_SOCKET|ECONNRESET|UND_ERR_ABORTED)/);
  });

  it('reads the beginning of an answer that is larger than 64 KiB, and goes on working', async () => {
    await using server = await startHttpsServer((request, response) => {
      response.end(request.url === '/long' ? 'x'.repeat(10_000_000) : 'ok');
    });
    await using client = clientFor(server.rootPem);
    for (let at = 0; at < 3; at += 1) {
      const reached = await client.post(`${server.url}/long`, {}, 'x');
      assert.ok(reached.reached && reached.answer.text.length === 64 * 1024);
    }
    assert.equal(reasonOf(await client.post(server.url, {}, 'x')), 'HTTP 200');
  });

  it('ends a request when it is told to', async () => {
    await using server = await startHttpsServer(() => {});
    await using client = clientFor(server.rootPem);
    const controller = new AbortController();
    const posted = client.post(server.url, {}, 'x', controller.signal);
    controller.abort(new Error('the relay stops'));
    assert.match(reasonOf(await posted), /the relay stops/);
    assert.match(reasonOf(await client.post(server.url, {}, 'x', AbortSignal.abort(new Error('stopped before')))), /stopped before/);
  });

  it('may be given a certificate after it was closed', async () => {
    const client = clientFor(undefined);
    await client.close();
    client.useIdentity(await createAgentIdentity(BANK, parseAgentId(crypto.randomUUID()), Date.now(), 1));
    await client.close();
    await client.close();
  });

  it("trusts the operating system's authorities when it is given none", async () => {
    await using folder = await temporaryFolder();
    await using server = await startHttpsServer((_request, response) => response.end('ok'));
    const store = join(folder.path, 'store.pem');
    await writeFile(store, server.rootPem);
    const script = `
      const { createHttpClient } = await import(${JSON.stringify(import.meta.resolve('../../src/upstream/http-client.ts'))});
      const client = createHttpClient({ connections: 1, connectTimeoutMs: 5000, requestTimeoutMs: 5000, trust: undefined });
      process.stdout.write(JSON.stringify(await client.post('${server.url}', {}, 'x')));
      await client.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { SSL_CERT_FILE: store }, stdio: ['ignore', 'pipe', 'inherit'] });
    const [output] = await Promise.all([child.stdout.setEncoding('utf8').toArray(), once(child, 'exit')]);
    assert.match(output.join(''), /"status":200/);
  });
});
