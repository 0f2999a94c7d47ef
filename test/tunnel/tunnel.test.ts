import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { openAuthority } from '../../src/authority/authority.ts';
import type { IsKnown } from '../../src/tunnel/clients.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { goodHello, helloMessage, inRecords } from './hello-bytes.ts';
import { ALLOWED, startRig, startTcpServer, type TunnelRig, tunnelTo, wire } from './rig.ts';

/** A refusal that curl was told of, counted once and logged once, and nothing went out. */
async function assertRefused(rig: TunnelRig, reason: string, { err, code }: { err: string; code: number }, told = `(${reason})`): Promise<void> {
  assert.notEqual(code, 0);
  assert.ok(err.includes(told), `${told} in: ${err}`);
  assert.equal(await rig.metric(`relay_tunnel_connections_total{outcome="${reason}"}`), 1);
  assert.equal(rig.logged().filter((line) => line['reason'] === reason).length, 1);
  assert.equal(rig.tunnel.open(), 0);
}

describe('the tunnel', () => {
  it('leads curl to an allowed host, end to end', async () => {
    await using rig = await startRig();
    const { code, out, err } = await rig.curl([]);
    assert.equal(out, 'end to end\n', err);
    assert.equal(code, 0);
    assert.equal(await rig.metric('relay_tunnel_connections_total{outcome="opened"}'), 1);
    await eventually('the tunnel is closed', () => rig.tunnel.open() === 0);
    assert.equal(await rig.metric('relay_tunnel_closed_total{reason="finished"}'), 1);
    assert.ok((await rig.metric('relay_tunnel_bytes_total{direction="up"}')) > 300);
    assert.ok((await rig.metric('relay_tunnel_bytes_total{direction="down"}')) > 500);
  });

  it('leads to a configured address, whose client sends no name', async () => {
    await using rig = await startRig();
    const { out, err } = await rig.curl([], `https://127.0.0.1:${rig.targetPort}/`);
    assert.equal(out, 'end to end\n', err);
  });

  it('refuses a host that is not allowed', async () => {
    await using rig = await startRig();
    await assertRefused(rig, 'host', await rig.curl([], 'https://elsewhere.test/'));
  });

  it('refuses port 80, of an allowed host too', async () => {
    await using rig = await startRig({ options: { allowHosts: ['*.example.org'] } });
    await assertRefused(rig, 'port', await rig.curl(['-p'], 'http://dce.example.org:80/'));
    assert.match((await rig.curl(['-p'], `http://${ALLOWED}:80/`)).err, /\(port\)/);
  });

  it('refuses plain HTTP through the tunnel, in words', async () => {
    await using rig = await startRig();
    const answer = await rig.curl(['-p', '-f'], `http://${ALLOWED}:${rig.targetPort}/`);
    await assertRefused(rig, 'not-tls', answer);
  });

  it('refuses a ClientHello that names another host, and one that names none', async () => {
    await using rig = await startRig();
    const args = ['s_client', '-proxy', `127.0.0.1:${rig.port}`, '-connect', `${ALLOWED}:${rig.targetPort}`, '-CAfile', rig.rootFile];
    const other = await openssl([...args, '-servername', 'other.test']);
    await assertRefused(rig, 'other-name', other, 'unrecognized name');
    await assertRefused(rig, 'no-name', await openssl([...args, '-noservername']), 'unrecognized name');
    assert.match((await openssl([...args, '-servername', 'ALLOWED.test'])).out, /Verify return code: 0/);
  });

  it('refuses TLS 1.0 and 1.1, with the alert that says so', async () => {
    await using rig = await startRig();
    const args = ['s_client', '-proxy', `127.0.0.1:${rig.port}`, '-connect', `${ALLOWED}:${rig.targetPort}`, '-servername', ALLOWED];
    await assertRefused(rig, 'old-tls', await openssl([...args, '-tls1', '-cipher', 'DEFAULT:@SECLEVEL=0']), 'protocol version');
    using old = await tunnelTo(rig);
    old.socket.write(inRecords(helloMessage({ name: ALLOWED, legacyVersion: 0x0302 })));
    await old.ended();
    assert.deepEqual([...old.said().subarray(-7)], [21, 3, 3, 0, 2, 2, 70]);
    assert.match((await openssl([...args, '-tls1_2'])).out, /Protocol +: TLSv1\.2/);
  });

  it('answers nothing but CONNECT', async () => {
    await using rig = await startRig();
    const proxied = await rig.curl(['-f'], 'http://allowed.test/');
    await assertRefused(rig, 'not-connect', proxied);
    for (const request of [
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    ]) {
      using asked = await wire(rig.port, request);
      await eventually('an answer', () => asked.said().toString().includes('HTTP/1.1 405'));
      await asked.ended();
    }
    for (const request of ['\x16\x03\x01', `CONNECT ${ALLOWED} HTTP/1.1\r\nHost: a\r\n\r\n`, `CONNECT a:443 HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]) {
      using asked = await wire(rig.port, request);
      await eventually('an answer', () => /HTTP\/1\.1 4\d\d/.test(asked.said().toString()));
      await asked.ended();
    }
  });

  it('takes a hello in pieces, and sends nothing out before it is whole', async () => {
    const seen: Buffer[] = [];
    await using target = await startTcpServer((socket) => void socket.on('data', (chunk: Buffer) => void seen.push(chunk)));
    await using rig = await startRig({ endpointPort: target.port });
    using client = await tunnelTo(rig);
    const hello = inRecords(helloMessage({ name: ALLOWED, versions: [0x0304] }), 20);
    for (const byte of hello.subarray(0, -1)) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(seen.length, 0);
    client.socket.write(Buffer.concat([hello.subarray(-1), Buffer.from('early data')]));
    await eventually('it is there', () => Buffer.concat(seen).equals(Buffer.concat([hello, Buffer.from('early data')])));
  });

  it('ends a hello that does not come', async () => {
    const clock = createManualClock();
    await using rig = await startRig({ clock });
    using client = await tunnelTo(rig);
    client.socket.write(goodHello(ALLOWED).subarray(0, 20));
    await eventually('it is waited for', () => clock.waits().includes(10_000));
    clock.advance(10_000);
    await client.ended();
    assert.equal(await rig.metric('relay_tunnel_connections_total{outcome="hello-timeout"}'), 1);
  });

  it('ends a request that does not come', async () => {
    await using rig = await startRig({ options: { helloTimeout: '100ms' } });
    using client = await wire(rig.port, 'CONNECT a');
    using silent = await wire(rig.port);
    await Promise.all([client.ended(), silent.ended()]);
    assert.match(client.said().toString(), /^HTTP\/1\.1 408 /);
  });

  it('lets go of a client that vanishes, before its hello and after', async () => {
    let ended = 0;
    const onClose = (): void => {
      ended += 1;
    };
    await using target = await startTcpServer(
      (socket) =>
        void socket
          .once('close', onClose)
          .once('end', () => socket.end())
          .resume(),
    );
    await using rig = await startRig({ endpointPort: target.port });
    const early = await tunnelTo(rig);
    early.socket.resetAndDestroy();
    await eventually('the first is gone', () => ended === 1);
    const late = await tunnelTo(rig);
    late.socket.write(goodHello(ALLOWED));
    await eventually('it stands', () => rig.tunnel.open() === 1);
    late.socket.resetAndDestroy();
    await eventually('the second is gone', () => ended === 2 && rig.tunnel.open() === 0);
    assert.equal(await rig.metric('relay_tunnel_connections_total{outcome="client-gone"}'), 1);
    assert.equal(await rig.metric('relay_tunnel_closed_total{reason="broken"}'), 1);
  });

  it('says that a host cannot be reached, resolved, or may not be connected to', async () => {
    const gone = await startTcpServer(() => {});
    await gone[Symbol.asyncDispose]();
    await using unreachable = await startRig({ endpointPort: gone.port });
    await assertRefused(unreachable, 'unreachable', await unreachable.curl([]));
    await using unresolved = await startRig({ resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    await assertRefused(unresolved, 'unresolved', await unresolved.curl([]));
    await using slow = await startRig({ resolve: () => new Promise(() => {}), options: { connectTimeout: '100ms' } });
    await assertRefused(slow, 'connect-timeout', await slow.curl([]));
    await using rebound = await startRig({ options: { allowHosts: ['*.example.org'] } });
    await assertRefused(rebound, 'forbidden-address', await rebound.curl([], 'https://dce.example.org/'));
    await assertRefused(rebound, 'host', await rebound.curl([], 'https://169.254.169.254/'));
  });

  it('lets one side finish while the other goes on', async () => {
    const answer = Buffer.alloc(3_000_000, 'a');
    let taken = 0;
    const onData = (chunk: Buffer): void => {
      taken += chunk.length;
    };
    await using target = await startTcpServer((socket) => void socket.on('data', onData).once('end', () => socket.end(answer)));
    await using rig = await startRig({ endpointPort: target.port });
    using client = await tunnelTo(rig);
    const before = client.said().length;
    const hello = goodHello(ALLOWED);
    client.socket.end(Buffer.concat([hello, Buffer.alloc(2_000_000)]));
    await client.ended();
    assert.equal(taken, hello.length + 2_000_000);
    assert.equal(client.said().length - before, answer.length);
    await eventually('it is closed', () => rig.tunnel.open() === 0);
    assert.equal(await rig.metric('relay_tunnel_closed_total{reason="finished"}'), 1);
    assert.equal(await rig.metric('relay_tunnel_bytes_total{direction="down"}'), answer.length);
  });

  it('takes no more from a side than the other one takes', async () => {
    await using target = await startTcpServer((socket) => void socket.pause());
    await using rig = await startRig({ endpointPort: target.port });
    using client = await tunnelTo(rig);
    client.socket.write(goodHello(ALLOWED));
    await eventually('it stands', () => rig.tunnel.open() === 1);
    const chunk = Buffer.alloc(1_000_000);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 100; count += 1) client.socket.write(chunk);
    // The kernel takes some megabytes; the rest stays with the client.
    await eventually('bytes move', async () => (await rig.metric('relay_tunnel_bytes_total{direction="up"}')) > 100_000);
    assert.ok(client.socket.writableLength > 50_000_000);
    assert.ok(process.memoryUsage().arrayBuffers - before < 20_000_000);
  });

  it('ends tunnels that are idle, and those that are too old', async () => {
    const clock = createManualClock();
    await using target = await startTcpServer((socket) => void socket.resume());
    await using rig = await startRig({ clock, endpointPort: target.port, options: { idleTimeout: '80s', maxLife: '200s' } });
    const open = async (): ReturnType<typeof tunnelTo> => {
      const client = await tunnelTo(rig);
      client.socket.write(goodHello(ALLOWED));
      return client;
    };
    using idle = await open();
    using busy = await open();
    await eventually('they stand', () => rig.tunnel.open() === 2);
    const sweep = async (): Promise<void> => {
      clock.advance(10_000);
      await eventually('the next one is planned', () => clock.waits().includes(10_000));
    };
    for (let round = 0; round < 20; round += 1) {
      const before = await rig.metric('relay_tunnel_bytes_total{direction="up"}');
      if (!busy.socket.destroyed) busy.socket.write('moving');
      await eventually('it moved', async () => (await rig.metric('relay_tunnel_bytes_total{direction="up"}')) > before);
      await sweep();
      if (round === 9) await idle.ended();
    }
    await busy.ended();
    assert.equal(await rig.metric('relay_tunnel_closed_total{reason="idle"}'), 1);
    assert.equal(await rig.metric('relay_tunnel_closed_total{reason="too-long"}'), 1);
  });

  it('limits connections, in all and by client', async () => {
    await using rig = await startRig({ options: { maxConnections: 2 } });
    using first = await tunnelTo(rig);
    using second = await tunnelTo(rig);
    assert.ok(first && second);
    await assertRefused(rig, 'too-many', await rig.curl([]));
    await using narrow = await startRig({ options: { maxConnectionsPerClient: 1 } });
    using only = await tunnelTo(narrow);
    await assertRefused(narrow, 'too-many-of-client', await narrow.curl([]));
    only.socket.destroy();
    await eventually('there is room again', async () => (await narrow.curl([])).code === 0);
  });

  it('serves only the addresses it was told', async () => {
    await using rig = await startRig({ options: { clients: 'addresses', clientAddresses: ['10.0.0.0/8', '2001:db8::/32'] } });
    await assertRefused(rig, 'client-address', await rig.curl([]));
    await using open = await startRig({ options: { clients: 'addresses', clientAddresses: ['127.0.0.0/8'] } });
    assert.equal((await open.curl([])).out, 'end to end\n');
  });

  it('serves only approved agents, and ends their tunnels when they are no longer', async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, Date.now);
    const identity = await authority.serverIdentity(['127.0.0.1'], 1);
    const [certificateFile, keyFile] = [join(folder.path, 'agent.pem'), join(folder.path, 'agent.key')];
    await writeFile(certificateFile, identity.certificate);
    await writeFile(keyFile, identity.privateKey, { mode: 0o600 });
    let isApproved = true;
    const isKnown: IsKnown = () => (isApproved ? { known: true } : { known: false, message: 'It is suspended.' });
    await using rig = await startRig({ identity, isKnown, options: { clients: 'agents' } });
    const proxy = ['-x', `https://127.0.0.1:${rig.port}`, '--proxy-insecure'];
    await assertRefused(rig, 'client-certificate', await rig.curl(proxy));
    const asAgent = [...proxy, '--proxy-cert', certificateFile, '--proxy-key', keyFile];
    const answer = await rig.curl(asAgent);
    assert.equal(answer.out, 'end to end\n', answer.err);

    isApproved = false;
    assert.match((await rig.curl(asAgent)).err, /\(client-certificate\)/);
    isApproved = true;
    await using target = await startTcpServer((socket) => void socket.resume());
    await using quiet = await startRig({ identity, isKnown, endpointPort: target.port, options: { clients: 'agents', idleTimeout: '1s' } });
    const client = connectTls({ port: quiet.port, host: '127.0.0.1', cert: identity.certificate, key: identity.privateKey, rejectUnauthorized: false });
    client.on('error', () => {}).resume();
    client.write(`CONNECT ${ALLOWED}:${quiet.targetPort} HTTP/1.1\r\nHost: a\r\n\r\n`);
    client.write(goodHello(ALLOWED));
    await eventually('it stands', () => quiet.tunnel.open() === 1);
    isApproved = false;
    await eventually('it ends', () => client.destroyed && quiet.tunnel.open() === 0);
    assert.equal(await quiet.metric('relay_tunnel_closed_total{reason="client"}'), 1);
  });

  it('stops at once when nothing moves, and lets what moves go on for a while', async () => {
    await using target = await startTcpServer((socket) => void socket.resume());
    await using rig = await startRig({ endpointPort: target.port });
    using client = await tunnelTo(rig);
    client.socket.write(goodHello(ALLOWED));
    await eventually('it stands', () => rig.tunnel.open() === 1);
    await rig.tunnel.stop(60_000);
    await client.ended();
    assert.equal(await rig.metric('relay_tunnel_closed_total{reason="stopped"}'), 1);
    await assert.rejects(wire(rig.port));
  });

  it('writes a few of many refusals for the same reason, then how many there were, and counts all', async () => {
    const clock = createManualClock();
    await using rig = await startRig({ clock });
    for (let count = 0; count < 15; count += 1) {
      using asked = await wire(rig.port, 'CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually('an answer', () => asked.said().toString().includes('403'));
    }
    assert.equal(rig.logged().length, 5);
    clock.advance(60_000);
    const { code, reason, repeated } = rig.logged().at(-1) ?? {};
    assert.deepEqual({ code, reason, repeated }, { code: 'relay.tunnel.host', reason: 'host', repeated: 10 });
    assert.equal(await rig.metric('relay_tunnel_connections_total{outcome="host"}'), 15);
  });
});

/** Runs openssl with nothing on its standard input. */
function openssl(args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const child = execFile('openssl', args, { timeout: 20_000 }, (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }));
    child.stdin?.end();
  });
}
