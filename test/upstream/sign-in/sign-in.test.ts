import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { agentSubject } from '../../../src/authority/agent-certificates.ts';
import { createCertificate } from '../../../src/authority/certificate.ts';
import { toPem } from '../../../src/authority/x509.ts';
import { createLogger } from '../../../src/logger.ts';
import { LONGEST_TRY_MS } from '../../../src/upstream/sign-in/request-token.ts';
import { createSignIn, type SignedIn, type SignIn, type SignInParts } from '../../../src/upstream/sign-in/sign-in.ts';
import type { SignInOptions } from '../../../src/workspace/sign-in-options.ts';
import { parseAgentId } from '../../../src/workspace/workspace-id.ts';
import { BANK } from '../../management-group/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { CLIENT, type Entra, refuse, SECRET, startEntra, TENANT } from './entra.ts';

const HOUR_MS = 60 * 60 * 1_000;
const MINUTE_MS = 60 * 1_000;

interface Rig extends AsyncDisposable {
  readonly entra: Entra;
  readonly clock: ManualClock;
  readonly signIn: SignIn;
  /** Everything that was logged. */
  readonly said: () => string;
  /** Puts another secret, or certificate and key, into the file. */
  change(content: string): Promise<void>;
  remove(): Promise<void>;
}

async function rig(options: Partial<SignInOptions> = {}, { content = SECRET, ...parts }: Partial<SignInParts> & { content?: string } = {}): Promise<Rig> {
  const folder = await temporaryFolder();
  const entra = await startEntra();
  const clock = createManualClock();
  const lines: string[] = [];
  const out = new PassThrough();
  out.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const file = join(folder.path, 'credential');
  const trustFile = join(folder.path, 'root.pem');
  await writeFile(file, `${content}\n`, { mode: 0o600 });
  await writeFile(trustFile, entra.rootPem);
  const given: SignInOptions = {
    method: 'client-secret',
    cloud: 'public',
    tenantId: TENANT,
    clientId: CLIENT,
    secretFile: file,
    certificateFile: file,
    authority: entra.url,
    trustFile,
    ...options,
  };
  const signIn = createSignIn(given, { clock, log: createLogger('debug', out), ...parts });
  return {
    entra,
    clock,
    signIn,
    said: () => lines.join(''),
    change: (next) => writeFile(file, next, { mode: 0o600 }),
    remove: () => rm(file),
    async [Symbol.asyncDispose]() {
      signIn.close();
      await entra[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

// The sign-in service takes RSA keys only.
function applicationCertificate(days: number, now = Date.now()): { readonly certificate: string; readonly both: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const subject = agentSubject(BANK, parseAgentId(crypto.randomUUID()));
  const der = createCertificate({
    subject,
    issuer: subject,
    notBefore: new Date(now - MINUTE_MS),
    notAfter: new Date(now + days * 24 * HOUR_MS),
    publicKey,
    issuerKey: privateKey,
    authority: false,
  });
  const certificate = toPem(der);
  return { certificate, both: `${privateKey.export({ type: 'pkcs8', format: 'pem' })}\n${certificate}` };
}

function token(result: SignedIn): string {
  return result.outcome === 'token' ? result.token : `none: ${result.reason}`;
}

function reason(result: SignedIn): string {
  return result.outcome === 'none' ? result.reason : 'a token';
}

describe('signing in', () => {
  it('gets a token by secret, once, and has it at hand', async () => {
    await using all = await rig();
    const results = await Promise.all(Array.from({ length: 5 }, () => all.signIn.token()));
    assert.deepEqual(new Set(results.map(token)), new Set(['token-1']));
    assert.equal(all.entra.asked(), 1);
    const { endsAt = 0, refreshDueAt = 0, lastError } = all.signIn.state();
    assert.ok(Math.abs(endsAt - all.clock.now() - HOUR_MS) < 10_000);
    assert.ok(Math.abs(refreshDueAt - all.clock.now() - HOUR_MS / 2) < 10_000);
    assert.equal(lastError, undefined);
  });

  it('gets a token by certificate', async () => {
    const { certificate, both } = applicationCertificate(365);
    await using all = await rig({ method: 'client-certificate' }, { content: both });
    all.entra.certificate = certificate;
    assert.equal(token(await all.signIn.token()), 'token-1');
    assert.equal(all.entra.forms[0]?.get('client_secret'), null);
    assert.ok((all.signIn.state().secretEndsAt ?? 0) > all.clock.now() + 360 * 24 * HOUR_MS);
  });

  it('says of a certificate that the application does not have, and of files that hold none', async () => {
    const { both } = applicationCertificate(365);
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    await using all = await rig({ method: 'client-certificate' }, { content: both });
    assert.match(reason(await all.signIn.token()), /not one of the application\..*AADSTS700027/);
    await all.change('nothing of the kind');
    assert.match(reason(await all.signIn.token()), /holds no certificate that can be read/);
    await all.change(`${ec}\n${both.slice(both.indexOf('-----BEGIN CERT'))}`);
    assert.match(reason(await all.signIn.token()), /takes RSA keys only/);
    await all.change('');
    assert.match(reason(await all.signIn.token()), /is empty/);
  });

  const refusals: readonly (readonly [string, RegExp])[] = [
    ['7000215', /the secret is wrong/],
    ['7000222', /the secret has expired/],
    ['700016', /there is no application aaaaaaaa/],
    ['90002', /there is no tenant 11111111/],
    ['424242', /Look the code up/],
  ];
  for (const [code, words] of refusals) {
    it(`explains AADSTS${code}`, async () => {
      await using all = await rig();
      all.entra.instead = (response) => refuse(response, code);
      const found = reason(await all.signIn.token());
      assert.match(found, words);
      assert.match(found, new RegExp(`AADSTS${code}`));
    });
  }

  it('never tells a secret or a token, whatever the service writes', async () => {
    await using all = await rig();
    all.entra.instead = (response) => void response.writeHead(200).end(`no token for ${SECRET}`);
    const first = reason(await all.signIn.token());
    all.clock.advance(2_000);
    all.entra.instead = (response) => refuse(response, '7000215');
    const second = reason(await all.signIn.token());
    all.clock.advance(MINUTE_MS);
    all.entra.instead = undefined;
    assert.equal(token(await all.signIn.token()), 'token-1');
    const told = [first, second, all.said(), JSON.stringify(all.signIn.state())].join('\n');
    assert.match(told, /signing in works again/);
    assert.ok(!told.includes(SECRET) && !told.includes('token-1'), told);
  });

  it('says of answers that make no sense that something may have answered in its place', async () => {
    const garbage: readonly (readonly [number, string])[] = [
      [200, '<html>captive portal</html>'],
      [200, '{}'],
      [200, '{"access_token":"","expires_in":3600}'],
      [200, '{"token_type":"Bearer","expires_in":-5,"access_token":"x"}'],
      [302, ''],
    ];
    await using all = await rig();
    for (const [status, text] of garbage) {
      all.entra.instead = (response) => void response.writeHead(status, { location: 'https://127.0.0.1:1/' }).end(text);
      assert.match(reason(await all.signIn.token()), /not a token|no reason/, text);
      all.clock.advance(MINUTE_MS);
    }
    all.entra.instead = (response) => void response.writeHead(200).end('x'.repeat(100_000));
    assert.match(reason(await all.signIn.token()), /longer than 65536 bytes/);
  });

  it('waits no longer than it says for a slow answer, and asks again later', async () => {
    await using all = await rig();
    all.entra.instead = (response) => void response.writeHead(200).write('{');
    const asked = all.signIn.token();
    await eventually('the request is there', () => all.entra.asked() === 1);
    all.clock.advance(LONGEST_TRY_MS);
    assert.match(reason(await asked), /was not reached: no answer within 30 s/);
    assert.match(reason(await all.signIn.token()), /no answer within/);
    assert.equal(all.entra.asked(), 1, 'the wait is not over');
    all.entra.instead = undefined;
    all.clock.advance(1_000);
    assert.equal(token(await all.signIn.token()), 'token-1');
  });

  it('renews the token at half its life, without being asked', async () => {
    await using all = await rig();
    await all.signIn.token();
    all.clock.advance(HOUR_MS / 2 - MINUTE_MS);
    assert.equal(all.entra.asked(), 1);
    all.clock.advance(2 * MINUTE_MS);
    await eventually('the second token', () => all.entra.given() === 2);
    await eventually('it is in hand', async () => token(await all.signIn.token()) === 'token-2');
  });

  it('goes on with the token at hand while the sign-in service is down for three hours', async () => {
    await using all = await rig();
    all.entra.lifeS = 4 * 3_600;
    assert.equal(token(await all.signIn.token()), 'token-1');
    all.clock.advance(HOUR_MS);
    all.entra.instead = (response) => void response.writeHead(503).end();
    // Three hours less what is left of the token's last moments; the refresh at half its life falls into it.
    for (let minute = 0; minute < 178; minute += 2) {
      all.clock.advance(2 * MINUTE_MS);
      assert.equal(token(await all.signIn.token()), 'token-1');
      await eventually('the try has ended', () => (all.signIn.state().refreshDueAt ?? 0) > all.clock.now());
    }
    assert.ok(all.entra.asked() > 2, 'it was tried again and again');
    assert.equal(all.said().match(/signing in failed/g)?.length, 1, 'and said once');
    all.entra.instead = undefined;
    // To the moment of the next try and no further: a slow machine would see the token after this one.
    await eventually('a new token', async () => {
      if (token(await all.signIn.token()) === 'token-2') return true;
      all.clock.advance(Math.max(0, (all.signIn.state().refreshDueAt ?? 0) - all.clock.now()));
      return false;
    });
    assert.equal(all.signIn.state().lastError, undefined);
  });

  it('has no token once it ended and the service is still down', async () => {
    await using all = await rig();
    await all.signIn.token();
    all.entra.instead = (response) => void response.writeHead(503).end();
    all.clock.advance(HOUR_MS);
    assert.match(reason(await all.signIn.token()), /answered 503/);
  });

  it('uses a changed secret at once, and says at once when it is wrong', async () => {
    await using all = await rig();
    assert.equal(token(await all.signIn.token()), 'token-1');
    all.entra.secret = 'another~one';
    await all.change('a wrong one');
    assert.match(reason(await all.signIn.token()), /the secret is wrong/);
    await all.change('another~one');
    assert.equal(token(await all.signIn.token()), 'token-2');
    assert.equal(all.entra.forms.at(-1)?.get('client_secret'), 'another~one');
  });

  it('keeps the token when the secret changes while the service is down, or when its file is gone', async () => {
    await using all = await rig();
    await all.signIn.token();
    all.entra.instead = (response) => void response.writeHead(503).end();
    await all.change('another~one');
    assert.equal(token(await all.signIn.token()), 'token-1');
    await all.remove();
    assert.equal(token(await all.signIn.token()), 'token-1');
    all.clock.advance(HOUR_MS);
    assert.match(reason(await all.signIn.token()), /cannot be read/);
  });

  it('drops a token that the service refused, once a minute', async () => {
    await using all = await rig();
    await all.signIn.token();
    all.signIn.refused();
    assert.equal(token(await all.signIn.token()), 'token-2');
    all.signIn.refused();
    assert.equal(token(await all.signIn.token()), 'token-2');
    all.clock.advance(MINUTE_MS);
    all.signIn.refused();
    assert.equal(token(await all.signIn.token()), 'token-3');
  });

  it('asks no more often than its waits allow while it is refused', async () => {
    await using all = await rig();
    all.entra.instead = (response) => refuse(response, '7000215');
    for (let second = 0; second < 600; second += 1) {
      await all.signIn.token();
      all.clock.advance(1_000);
    }
    assert.ok(all.entra.asked() < 20, `${all.entra.asked()} requests in ten minutes`);
    assert.equal(all.said().match(/signing in failed/g)?.length, 1);
  });

  it('names the network when the service cannot be reached, or shows a certificate of somebody else', async () => {
    await using dead = await rig({ authority: 'https://127.0.0.1:1' });
    assert.match(reason(await dead.signIn.token()), /was not reached: .*ECONNREFUSED.*signInPath/);
    await using untrusting = await rig({ trustFile: '/nowhere/root.pem' });
    assert.match(reason(await untrusting.signIn.token()), /was not reached: .*trustFile.*ENOENT/);
    await using strange = await rig({ trustFile: undefined });
    assert.match(reason(await strange.signIn.token()), /was not reached: .*(certificate|self-signed)/);
  });

  it('opens no connection but to the sign-in service', async (context) => {
    await using all = await rig();
    const opened: unknown[] = [];
    const connect = net.Socket.prototype.connect;
    context.mock.method(net.Socket.prototype, 'connect', function (this: net.Socket, ...given: Parameters<typeof connect>) {
      opened.push(given[0]);
      return Reflect.apply(connect, this, given);
    });
    assert.equal(token(await all.signIn.token()), 'token-1');
    const ports = opened.map((each) => [each].flat(2)[0] as { port?: unknown }).map(({ port }) => String(port));
    assert.ok(opened.length > 0);
    assert.deepEqual(new Set(ports), new Set([new URL(all.entra.url).port]));
  });

  it('goes by the road it is given, and by no other', async () => {
    let asked = 0;
    const open = (): Promise<never> => {
      asked += 1;
      return Promise.reject(new Error('the road is closed'));
    };
    await using all = await rig({}, { road: { open, trust: undefined, describe: () => ({ kind: 'expressroute' }), close: () => {} } });
    assert.match(reason(await all.signIn.token()), /the road is closed/);
    assert.ok(asked > 0);
    assert.equal(all.entra.connections(), 0);
  });

  it('warns of an end of the secret 30, 14, 7 days and one day ahead', async () => {
    const start = Date.parse('2026-11-23T06:00:00Z');
    const clock = createManualClock(start);
    await using all = await rig({ secretEndsAt: '2026-12-31' }, { clock });
    const days: number[] = [];
    assert.equal(all.said(), '');
    for (let hour = 0; hour < 40 * 24; hour += 1) {
      const before = all.said().length;
      clock.advance(HOUR_MS);
      await new Promise((resolve) => setImmediate(resolve));
      if (all.said().length > before) days.push(Math.ceil((Date.parse('2026-12-31') - clock.now()) / (24 * HOUR_MS)));
    }
    assert.deepEqual(days, [30, 14, 7, 1, 0, -1, -2].slice(0, days.length));
    assert.ok(days.length >= 5);
  });

  it('warns of a certificate that ends soon before anybody asks for a token', async () => {
    await using all = await rig({ method: 'client-certificate' }, { content: applicationCertificate(5).both });
    await eventually('the warning', () => /the certificate that the relay signs in with ends soon/.test(all.said()));
    assert.equal(all.entra.connections(), 0);
  });
});
