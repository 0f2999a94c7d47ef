import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createHttpClient, type HttpClient, type Reached } from '../../../src/upstream/http-client.ts';
import { createRoad, type Road, type RoadParts } from '../../../src/upstream/path/road.ts';
import type { RouteOf } from '../../../src/upstream/path/route-check.ts';
import { pathOptions } from '../../../src/workspace/path-options.ts';
import { startConnectProxy } from '../../support/connect-proxy.ts';
import { startDnsServer } from '../../support/dns-server.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type HttpsServer, startHttpsServer } from '../https-server.ts';

const SERVICE = 'dce.service.test';
const BY_ER0 = async (): Promise<{ readonly device: string }> => ({ device: 'er0' });
const NOW = Date.parse('2026-11-23T06:00:00Z');

interface Taken extends AsyncDisposable {
  readonly road: Road;
  readonly client: HttpClient;
  /** Reasons of refusals, and `verified`. */
  readonly seen: string[];
  post(): Promise<string>;
}

interface Taking {
  readonly server: HttpsServer;
  readonly host?: string;
  readonly parts?: Partial<RoadParts>;
  readonly connectTimeoutMs?: number;
}

async function take(options: object, { server, host = SERVICE, parts = {}, connectTimeoutMs = 10_000 }: Taking): Promise<Taken> {
  const seen: string[] = [];
  const clock = createManualClock(NOW);
  const road = await createRoad(pathOptions.parse(options), {
    clock,
    onVerified: () => void seen.push('verified'),
    onRefused: (reason) => void seen.push(reason),
    ...parts,
  });
  const client = createHttpClient({ connections: 2, connectTimeoutMs, requestTimeoutMs: 10_000, trust: server.rootPem, road });
  return {
    road,
    client,
    seen,
    post: async () => textOf(await client.post(`https://${host}:${server.port}/`, {}, 'x')),
    async [Symbol.asyncDispose]() {
      await client.close();
      road.close();
    },
  };
}

function textOf(reached: Reached): string {
  return reached.reached ? `HTTP ${reached.answer.status} ${reached.answer.text}` : reached.reason;
}

/** Answers with the name that TLS asked for. */
function startService(names: readonly string[] = [SERVICE]): Promise<HttpsServer> {
  return startHttpsServer((request, response) => {
    const { servername } = request.socket as TLSSocket & { readonly servername: string };
    request.resume().on('end', () => response.end(servername));
  }, names);
}

function interfaces(...addresses: readonly (readonly [device: string, address: string])[]): RoadParts['interfaces'] {
  const all: NodeJS.Dict<NetworkInterfaceInfo[]> = {};
  for (const [device, address] of addresses)
    all[device] = [{ address, netmask: '255.0.0.0', family: 'IPv4', mac: '00:00:00:00:00:00', internal: false, cidr: null }];
  return () => all;
}

describe('a road', () => {
  it('public: goes as the system does, and says where', async () => {
    await using server = await startService(['localhost']);
    await using taken = await take({}, { server, host: 'localhost' });
    assert.equal(await taken.post(), 'HTTP 200 localhost');
    const { kind, resolved, peerIs, verifiedAt, refusal } = taken.road.describe();
    assert.deepEqual(
      { kind, by: resolved?.by, peerIs, verifiedAt, refusal },
      { kind: 'public', by: 'system', peerIs: 'public', verifiedAt: NOW, refusal: undefined },
    );
  });

  it('takes pinned addresses with the TLS name unchanged, and a wrong name in the certificate is refused', async () => {
    await using server = await startService();
    await using taken = await take({ kind: 'private-link', addresses: ['127.0.0.1'], peers: ['127.0.0.0/8'] }, { server });
    assert.equal(await taken.post(), `HTTP 200 ${SERVICE}`);
    await using other = await startService(['elsewhere.test']);
    await using wrong = await take({ addresses: ['127.0.0.1'] }, { server: other });
    assert.match(await wrong.post(), /ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  it('private-link: asks the name servers given and shows the chain of names', async () => {
    await using server = await startService();
    await using dns = await startDnsServer({ [SERVICE]: { cname: 'dce.privatelink.service.test' }, 'dce.privatelink.service.test': { a: ['127.0.0.1'] } });
    await using taken = await take({ kind: 'private-link', nameServers: [dns.address], peers: ['127.0.0.0/8'] }, { server });
    assert.equal(await taken.post(), `HTTP 200 ${SERVICE}`);
    assert.deepEqual(taken.road.describe().resolved, {
      host: SERVICE,
      addresses: ['127.0.0.1'],
      chain: ['dce.privatelink.service.test'],
      by: `name server ${dns.address}`,
    });
  });

  it('private-link: one public address beside a private one, and nothing is connected', async () => {
    await using server = await startService();
    await using dns = await startDnsServer({ [SERVICE]: { a: ['127.0.0.1', '198.51.100.7'] } });
    await using taken = await take({ kind: 'private-link', nameServers: [dns.address], peers: ['127.0.0.0/8'] }, { server });
    assert.match(await taken.post(), /^relay\.path\.not-private: dce\.service\.test leads to 198\.51\.100\.7 .*Nothing is sent/);
    assert.equal(server.connections(), 0);
    assert.deepEqual(taken.seen, ['not-private']);
    assert.equal(taken.road.describe().refusal?.reason, 'not-private');
    dns.records.set(SERVICE, { a: ['127.0.0.1'] });
    assert.equal(await taken.post(), `HTTP 200 ${SERVICE}`);
    assert.deepEqual(taken.seen, ['not-private', 'verified']);
  });

  it('private-link: an IPv6 address counts like any other', async () => {
    await using server = await startService();
    await using dns = await startDnsServer({ [SERVICE]: { a: ['10.0.0.9'], aaaa: ['2001:db8::9'] } });
    await using taken = await take({ kind: 'private-link', nameServers: [dns.address] }, { server });
    assert.match(await taken.post(), /^relay\.path\.not-private: .*2001:db8::9/);
  });

  it('is looked at on every connection, not only the first', async () => {
    await using server = await startService();
    await using dns = await startDnsServer({ [SERVICE]: { a: ['127.0.0.1'] } });
    await using taken = await take({ kind: 'private-link', nameServers: [dns.address], peers: ['127.0.0.0/8'] }, { server });
    assert.equal(await taken.post(), `HTTP 200 ${SERVICE}`);
    dns.records.set(SERVICE, { a: ['198.51.100.7'] });
    taken.road.close();
    assert.match(await eventually('the next connection is refused', async () => /not-private/.exec(await taken.post())?.[0]), /not-private/);
  });

  it('says in words that no name server knows the name', async () => {
    await using server = await startService();
    await using dns = await startDnsServer();
    await using taken = await take({ nameServers: [dns.address] }, { server });
    assert.match(await taken.post(), /^relay\.path\.unresolved: The name servers 127\.0\.0\.1:\d+ gave no address for dce\.service\.test \(ENOTFOUND\)/);
  });

  it('expressroute: comes from the source address, and goes to peers only', async () => {
    await using server = await startService();
    const options = { kind: 'expressroute', addresses: ['127.0.0.1'], peers: ['127.0.0.0/8'], sourceAddress: '127.0.0.9' };
    await using taken = await take(options, { server, parts: { interfaces: interfaces(['er0', '127.0.0.9']) ?? (() => ({})) } });
    assert.equal(await taken.post(), `HTTP 200 ${SERVICE}`);
    const { sourceAddress, peerAddress } = taken.road.describe();
    assert.deepEqual({ sourceAddress, peerAddress }, { sourceAddress: '127.0.0.9', peerAddress: '127.0.0.1' });

    await using elsewhere = await take({ ...options, peers: ['20.0.0.0/8'] }, { server });
    assert.match(await elsewhere.post(), /^relay\.path\.not-a-peer: .*outside the path's peers 20\.0\.0\.0\/8/);
    assert.equal(server.connections(), 1);
  });

  it('expressroute: without its source nothing is connected, and what stands is ended', async () => {
    await using server = await startService();
    let up = interfaces(['er0', '127.0.0.9']);
    const clock = createManualClock(NOW);
    const options = { kind: 'expressroute', addresses: ['127.0.0.1'], peers: ['127.0.0.0/8'], interface: 'er0' };
    await using taken = await take(options, { server, parts: { clock, interfaces: () => up?.() ?? {}, routeOf: BY_ER0 } });
    assert.equal(await taken.post(), `HTTP 200 ${SERVICE}`);
    const connection = await taken.road.open(SERVICE, server.port, new AbortController().signal);
    up = interfaces(['eth0', '127.0.0.1']);
    const closed = once(connection, 'close');
    clock.advance(2_000);
    await closed;
    assert.match(
      await eventually('no connection is left', async () => /relay\.path\.no-source.*/.exec(await taken.post())?.[0]),
      /The interface er0 is not up or has no address\. Nothing is sent/,
    );
  });

  it('expressroute: whose route leaves by another interface, or is not known, is not taken; what stands on it is ended', async () => {
    await using server = await startService();
    let route: Awaited<ReturnType<RouteOf>> = { device: 'inet0' };
    const clock = createManualClock(NOW);
    const options = { kind: 'expressroute', addresses: ['127.0.0.1'], peers: ['127.0.0.0/8'], interface: 'er0' };
    const parts = { clock, interfaces: interfaces(['er0', '127.0.0.9']) ?? (() => ({})), routeOf: async () => route };
    await using taken = await take(options, { server, parts });
    assert.match(
      await taken.post(),
      /^relay\.path\.other-route: The path's interface is er0, but the route to 127\.0\.0\.1 from 127\.0\.0\.9 leaves by inet0\. Nothing is sent/,
    );
    route = { unknown: 'the command ip (iproute2) is not installed' };
    assert.match(await taken.post(), /^relay\.path\.other-route: .*is not known: the command ip/);
    assert.equal(server.connections(), 0);
    route = { device: 'er0' };
    assert.equal(await taken.post(), `HTTP 200 ${SERVICE}`);
    const connection = await taken.road.open(SERVICE, server.port, new AbortController().signal);
    route = { device: 'inet0' };
    const closed = once(connection, 'close');
    clock.advance(2_000);
    await closed;
    assert.deepEqual(taken.seen, ['other-route', 'other-route', 'verified', 'verified']);
  });

  it('expressroute: a source that has no address of the family is no reason to take another', async () => {
    await using server = await startService();
    const options = { kind: 'expressroute', addresses: ['2001:db8::1'], peers: ['2001:db8::/32'], sourceAddress: '127.0.0.9' };
    await using taken = await take(options, { server, parts: { interfaces: interfaces(['er0', '127.0.0.9']) ?? (() => ({})) } });
    assert.match(await taken.post(), /^relay\.path\.no-source: .*family/);
  });

  it('ends in time when a name server is silent', async () => {
    await using server = await startService();
    await using taken = await take({ nameServers: ['127.0.0.1:9'] }, { server, connectTimeoutMs: 50 });
    assert.match(await taken.post(), /UND_ERR_CONNECT_TIMEOUT|unresolved/);
  });

  it('ends in time when TLS never comes', async () => {
    await using server = await startService();
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await using taken = await take({ addresses: ['127.0.0.1'] }, { server, connectTimeoutMs: 50 });
    const { port } = silent.address() as AddressInfo;
    assert.match(
      textOf(await taken.client.post(`https://${SERVICE}:${port}/`, {}, 'x')),
      /^UND_ERR_CONNECT_TIMEOUT: connecting to dce\.service\.test took longer than 50 ms/,
    );
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});

describe('a road through a proxy', () => {
  const proxyAt = (address: string, more: object = {}): object => {
    const [host, port] = address.split(':');
    return { kind: 'proxy', proxy: { host, port: Number(port), ...more } };
  };

  it('is TLS with the service inside the tunnel, by the name that was asked for', async () => {
    await using server = await startService(['localhost']);
    await using proxy = await startConnectProxy();
    await using taken = await take(proxyAt(proxy.address), { server, host: 'localhost' });
    assert.equal(await taken.post(), 'HTTP 200 localhost');
    assert.deepEqual(proxy.asked, [`localhost:${server.port}`]);
    assert.equal(taken.road.describe().proxy, proxy.address);
  });

  it('shows credentials from a file, read at each connection; 407 is said in words and no secret with it', async () => {
    await using server = await startService(['localhost']);
    await using proxy = await startConnectProxy();
    await using folder = await temporaryFolder();
    const passwordFile = join(folder.path, 'password');
    await writeFile(passwordFile, 'old-secret\n', { mode: 0o600 });
    proxy.wants = 'relay:new-secret';
    await using taken = await take(proxyAt(proxy.address, { user: 'relay', passwordFile }), { server, host: 'localhost' });
    const refused = await taken.post();
    assert.match(refused, /^relay\.path\.proxy-credentials: The proxy 127\.0\.0\.1:\d+ answered 407 .*the user "relay" or its password is wrong/);
    assert.doesNotMatch(refused, /secret/);
    await writeFile(passwordFile, 'new-secret\n');
    assert.equal(await taken.post(), 'HTTP 200 localhost');
    assert.deepEqual(taken.seen, ['proxy-credentials', 'verified']);
  });

  it('says that credentials are wanted when there are none, and that the proxy refuses the host', async () => {
    await using server = await startService(['localhost']);
    await using proxy = await startConnectProxy();
    proxy.wants = 'relay:secret';
    await using taken = await take(proxyAt(proxy.address), { server, host: 'localhost' });
    assert.match(await taken.post(), /proxy-credentials: .*give proxy\.user and proxy\.passwordFile/);
    proxy.refuses = true;
    assert.match(await taken.post(), /proxy-refused: The proxy .* answered 403 Forbidden for localhost:\d+\. Allow this host/);
  });

  it('says that the proxy is dead, and goes by no other way', async () => {
    await using server = await startService(['localhost']);
    const proxy = await startConnectProxy();
    const { address } = proxy;
    await proxy[Symbol.asyncDispose]();
    await using taken = await take(proxyAt(address), { server, host: 'localhost' });
    assert.match(await taken.post(), /^relay\.path\.proxy-unreachable: The proxy 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED.*Nothing goes around it/);
    assert.equal(server.connections(), 0);
  });

  it('gives up on a proxy that says nothing, or something else than HTTP', async () => {
    await using server = await startService(['localhost']);
    for (const says of ['', 'SSH-2.0-OpenSSH\r\n']) {
      const sockets: Socket[] = [];
      const odd = createServer((socket) => {
        sockets.push(socket.on('error', () => {}));
        socket.write(says);
      }).listen(0, '127.0.0.1');
      await once(odd, 'listening');
      await using taken = await take(proxyAt(`127.0.0.1:${(odd.address() as AddressInfo).port}`), { server, host: 'localhost', connectTimeoutMs: 100 });
      assert.match(await taken.post(), /UND_ERR_CONNECT_TIMEOUT|proxy-unreachable/);
      for (const socket of sockets) socket.destroy();
      odd.close();
    }
  });

  it('leaves out what is excepted, and nothing else', async () => {
    await using server = await startService(['localhost']);
    await using proxy = await startConnectProxy();
    await using taken = await take(proxyAt(proxy.address, { except: ['localhost'] }), { server, host: 'localhost' });
    assert.equal(await taken.post(), 'HTTP 200 localhost');
    assert.deepEqual(proxy.asked, []);
  });

  it('trusts the authority of a proxy that looks into TLS, beside the others', async () => {
    await using server = await startService(['localhost']);
    await using looking = await startService(['localhost']);
    await using folder = await temporaryFolder();
    const trustFile = join(folder.path, 'proxy.pem');
    await writeFile(trustFile, looking.rootPem);
    await using proxy = await startConnectProxy();
    await using taken = await take(proxyAt(proxy.address, { trustFile }), { server, host: 'localhost' });
    assert.equal(textOf(await taken.client.post(looking.url.replace('127.0.0.1', 'localhost'), {}, 'x')), 'HTTP 200 localhost');
    assert.equal(await taken.post(), 'HTTP 200 localhost');
  });
});
