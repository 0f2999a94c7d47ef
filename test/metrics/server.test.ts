import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { type Authority, openAuthority } from '../../src/authority/authority.ts';
import { createLogger } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { metricsOptions } from '../../src/metrics/options.ts';
import type { Readiness } from '../../src/metrics/plugin.ts';
import { type MetricsServer, type MetricsServerParts, startMetricsServer } from '../../src/metrics/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Rig extends AsyncDisposable {
  readonly server: MetricsServer;
  readonly authority: Authority;
  readonly lines: { readonly level: string; readonly msg: string; readonly code?: string }[];
  /** Writes a secret's file; gives its path. */
  secret(name: string, content: string): Promise<string>;
  get(path: string, authorization?: string): Promise<Answer>;
}

interface RigSettings extends Partial<Pick<MetricsServerParts, 'requestTimeoutMs'>> {
  /** Options as a file holds them; `<name>` of a secret stands for its path. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly ready?: () => Readiness;
}

const NEW_SERVER = { names: ['localhost', '127.0.0.1'], days: 90 };

async function startRig({ options = {}, secrets = {}, ready = () => ({ ok: true }), ...more }: RigSettings = {}): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryFolder());
  const secret = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const paths = await Promise.all(Object.entries(secrets).map(async ([name, content]) => [`<${name}>`, await secret(name, content)] as const));
  const placed = Object.entries(options).map(([name, value]) => [name, paths.find(([mark]) => mark === value)?.[1] ?? value]);
  const lines: Rig['lines'] = [];
  const authority = await openAuthority(join(folder, 'authority'), Date.now);
  const server = await startMetricsServer(metricsOptions.parse({ port: 0, ...Object.fromEntries(placed) }), {
    metrics: createMetrics(),
    ready,
    identity: await authority.serverIdentity(NEW_SERVER.names, NEW_SERVER.days),
    log: createLogger('info', { write: (line: string) => void lines.push(JSON.parse(line) as Rig['lines'][number]) }),
    ...more,
  });
  stack.defer(server.stop);
  const all = stack.move();
  return {
    server,
    authority,
    lines,
    secret,
    get: (path, authorization) => get({ port: server.port, path, authorization, root: options['tls'] === true ? authority.root : undefined }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface Asked {
  readonly port: number;
  readonly path: string;
  readonly authorization?: string | undefined;
  /** With it, over TLS. */
  readonly root?: string | undefined;
}

async function get({ port, path, authorization, root }: Asked): Promise<Answer> {
  const options = { host: '127.0.0.1', port, path, agent: false, headers: authorization === undefined ? {} : { authorization } };
  const outgoing = root === undefined ? httpRequest(options) : httpsRequest({ ...options, ca: root });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text, headers: response.headers };
}

const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const BOTH: RigSettings = {
  options: { user: 'prometheus', passwordFile: '<password>', tokenFile: '<token>' },
  secrets: { password: 'correct horse\n', token: 'battery-staple\n' },
};

describe('the listener of metrics', () => {
  it('shows metrics and health to everybody when no credentials are set, and warns of nothing', async () => {
    await using rig = await startRig({ options: { address: '0.0.0.0' } });
    const { status, text, headers } = await rig.get('/metrics');
    assert.equal(status, 200);
    assert.match(text, /^# TYPE relay_ready gauge$/m);
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.equal((await rig.get('/health/live')).status, 200);
    assert.deepEqual(rig.lines, []);
  });

  it('says every reason why the relay is not ready', async () => {
    await using rig = await startRig({ ready: () => ({ ok: false, reasons: ['Redis is away', 'the disk is full'] }) });
    const { status, text } = await rig.get('/health/ready');
    assert.deepEqual([status, JSON.parse(text)], [503, { status: 'not ready', reasons: ['Redis is away', 'the disk is full'] }]);
  });

  describe('with credentials', () => {
    for (const [what, authorization, status] of [
      ['no credentials', undefined, 401],
      ['the right password', basic('prometheus', 'correct horse'), 200],
      ['the right token', 'Bearer battery-staple', 200],
      ['the scheme in other letters', 'bearer battery-staple', 200],
      ['a wrong password', basic('prometheus', 'correct horses'), 401],
      ['another user', basic('grafana', 'correct horse'), 401],
      ['an empty password', basic('prometheus', ''), 401],
      ['a wrong token', 'Bearer battery-stapl', 401],
      ['an empty token', 'Bearer ', 401],
      ['the password as a token', 'Bearer correct horse', 401],
      ['the token as a password', 'Basic battery-staple', 401],
      ['another scheme', 'Digest battery-staple', 401],
      ['no scheme', 'battery-staple', 401],
    ] as const) {
      it(`answers ${status} for ${what}`, async () => {
        await using rig = await startRig(BOTH);
        const { status: found, text } = await rig.get('/metrics', authorization);
        assert.equal(found, status);
        assert.equal(text.includes('relay_ready'), status === 200);
      });
    }

    it('names the ways of signing in that there are', async () => {
      await using both = await startRig(BOTH);
      assert.equal((await both.get('/metrics')).headers['www-authenticate'], 'Basic realm="relay metrics", charset="UTF-8",Bearer realm="relay metrics"');
      await using token = await startRig({ options: { tokenFile: '<token>' }, secrets: { token: 't' } });
      assert.equal((await token.get('/metrics')).headers['www-authenticate'], 'Bearer realm="relay metrics"');
      assert.equal((await token.get('/metrics', basic('prometheus', 't'))).status, 401);
    });

    it('asks for none for health', async () => {
      await using rig = await startRig(BOTH);
      assert.deepEqual([(await rig.get('/health/live')).status, (await rig.get('/health/ready')).status], [200, 200]);
    });

    it('says in the log who was refused, and not what was shown', async () => {
      await using rig = await startRig(BOTH);
      await rig.get('/metrics');
      await rig.get('/metrics', 'Bearer nearly-right');
      assert.deepEqual(
        rig.lines.map(({ level, code }) => [level, code]),
        [
          ['warn', 'relay.metrics.no-credentials'],
          ['warn', 'relay.metrics.bad-credentials'],
        ],
      );
      assert.ok(!JSON.stringify(rig.lines).includes('nearly-right'));
      assert.ok(JSON.stringify(rig.lines).includes('"remoteAddress":"127.0.0.1"'));
    });

    it('takes a changed file at once, and the old secret no more', async () => {
      await using rig = await startRig(BOTH);
      assert.equal((await rig.get('/metrics', 'Bearer battery-staple')).status, 200);
      await rig.secret('token', 'changed');
      assert.deepEqual([(await rig.get('/metrics', 'Bearer battery-staple')).status, (await rig.get('/metrics', 'Bearer changed')).status], [401, 200]);
      await rig.secret('password', 'other');
      assert.equal((await rig.get('/metrics', basic('prometheus', 'other'))).status, 200);
    });

    it('shows metrics to nobody while the file cannot be used, and says so', async () => {
      await using rig = await startRig(BOTH);
      await rig.secret('token', '');
      const { status, text } = await rig.get('/metrics', 'Bearer ?');
      assert.deepEqual([status, rig.lines.at(-1)?.level], [503, 'error']);
      assert.ok(!text.includes('relay_ready'));
      assert.equal((await rig.get('/health/live')).status, 200);
    });

    it('does not start without the secret that should be there', async () => {
      await assert.rejects(startRig({ options: { tokenFile: '/nowhere/token' } }), { code: 'relay.secret.unreadable' });
      await assert.rejects(startRig({ options: { tokenFile: '<token>' }, secrets: { token: '\n' } }), { code: 'relay.secret.empty' });
    });

    it('warns when they would go over a network as plain text', async () => {
      for (const [address, tls, warnings] of [
        ['0.0.0.0', false, 1],
        ['::', false, 1],
        ['0.0.0.0', true, 0],
        ['127.0.0.1', false, 0],
        ['::1', false, 0],
      ] as const) {
        await using rig = await startRig({ ...BOTH, options: { ...BOTH.options, address, tls } });
        assert.equal(rig.lines.filter(({ msg }) => msg.includes('plain text')).length, warnings, address);
      }
    });
  });

  describe('with TLS', () => {
    it('shows the certificate of the relay, and nothing to who speaks plain HTTP or old TLS', async () => {
      await using rig = await startRig({ options: { tls: true } });
      assert.equal((await rig.get('/metrics')).status, 200);
      await assert.rejects(get({ port: rig.server.port, path: '/metrics' }));
      const old = connect({ host: '127.0.0.1', port: rig.server.port, ca: rig.authority.root, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
      await assert.rejects(once(old, 'secureConnect'));
    });

    it('shows another certificate from the next handshake on, and keeps the connections that stand', async () => {
      await using rig = await startRig({ options: { tls: true } });
      const next = await rig.authority.serverIdentity(NEW_SERVER.names, NEW_SERVER.days);
      const stands = await handshake(rig);
      rig.server.useIdentity(next);
      const fresh = await handshake(rig);
      assert.equal(fresh.getPeerX509Certificate()?.serialNumber, new X509Certificate(next.certificate).serialNumber);
      stands.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n');
      const [answer] = (await once(stands, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200/);
      for (const socket of [stands, fresh]) socket.destroy();
    });

    it('ends a handshake that is not finished in time', async () => {
      await using rig = await startRig({ options: { tls: true }, requestTimeoutMs: 200 });
      const socket = connectPlain(rig.server.port, '127.0.0.1');
      socket.on('error', () => {}).resume();
      await once(socket, 'close');
    });
  });

  describe('against requests that no scraper makes', () => {
    it('ends a request whose headers do not come in time', async () => {
      await using rig = await startRig({ requestTimeoutMs: 200 });
      assert.match(await converse(rig, 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: '), /^HTTP\/1\.1 4\d\d|^$/);
    });

    it('refuses headers that are too long', async () => {
      await using rig = await startRig();
      assert.match(await converse(rig, `GET /metrics HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(16_384)}\r\n\r\n`), /^HTTP\/1\.1 4\d\d/);
    });

    it('refuses a body without waiting for it', async () => {
      await using rig = await startRig();
      for (const head of [
        'GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000',
        'POST /health/live HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked',
      ])
        assert.match(await converse(rig, `${head}\r\n\r\nff\r\n`), /^HTTP\/1\.1 413/);
    });

    it('knows no other path and no other method', async () => {
      await using rig = await startRig(BOTH);
      assert.equal((await rig.server.hapi.inject('/')).statusCode, 404);
      assert.equal((await rig.server.hapi.inject({ method: 'DELETE', url: '/metrics' })).statusCode, 404);
    });
  });
});

describe('metricsOptions', () => {
  const problemsOf = (options: object): string[] =>
    metricsOptions.safeParse(options).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

  it('wants a user and a password together', () => {
    assert.deepEqual(problemsOf({ user: 'a', passwordFile: '/a' }), []);
    assert.deepEqual(problemsOf({ tokenFile: '/a' }), []);
    assert.deepEqual(problemsOf({ user: 'a' }), ['passwordFile: missing; user and passwordFile go together']);
    assert.deepEqual(problemsOf({ passwordFile: '/a' }), ['passwordFile: found a password without a user; give both or neither']);
  });

  it('never shows what may be a secret in the place of its file', () => {
    const [problem] = problemsOf({ tokenFile: 'c2VjcmV0IQ==' });
    assert.ok(problem !== undefined && !problem.includes('c2VjcmV0'), problem);
  });
});

async function handshake({ server, authority }: Rig): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: server.port, ca: authority.root });
  await once(socket, 'secureConnect');
  return socket;
}

/** Sends this and waits until the other side ends; gives what it said. */
async function converse({ server }: Rig, text: string): Promise<string> {
  const socket = connectPlain(server.port, '127.0.0.1');
  let said = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  socket.write(text);
  await once(socket, 'close');
  return said;
}
