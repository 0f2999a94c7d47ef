import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { RelayError } from '../src/errors.ts';
import { createLogger } from '../src/logger.ts';
import { redactLine, redactText } from '../src/redaction.ts';

const SECRET = 'hunter2hunter2';
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.hunter2hunter2';
const PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }).toString();

/** The line that is written for these facts. */
function logged(facts: object, { message = 'said', ...bindings }: { readonly message?: string; readonly [bound: string]: unknown } = {}): string {
  const lines: string[] = [];
  createLogger('debug', { write: (line: string) => void lines.push(line) })
    .child(bindings)
    .info(facts, message);
  return lines.join('');
}

const NAMES = [
  ...['key', 'privateKey', 'sharedKey', 'primary_key', 'password', 'passwd', 'passphrase', 'secret', 'clientSecret', 'client_secret'],
  ...['assertion', 'client_assertion', 'authorization', 'Proxy-Authorization', 'cookie', 'set-cookie', 'token', 'accessToken', 'refresh_token', 'pem'],
];

const PLANTED: Readonly<Record<string, object>> = {
  'at any depth': { a: { b: { c: { d: { password: SECRET } } } } },
  'in a list': { headers: [{ name: 'x', value: { cookie: [SECRET, SECRET] } }] },
  'that is a section of its own': { credentials: { user: 'me', word: SECRET } },
  'in the headers of a request': { request: { headers: { authorization: `Bearer ${SECRET}`, 'proxy-authorization': `Basic ${SECRET}` } } },
  "in an error's message": { err: new Error(`401 for Authorization: Bearer ${SECRET}`) },
  'in the cause of a cause': { err: new RelayError('relay.a.b', 'outer', { cause: new Error('inner', { cause: new Error(`SharedKey id:${SECRET}`) }) }) },
  "among an error's properties": { err: Object.assign(new Error('x'), { config: { auth: { password: SECRET } } }) },
  'of several errors': { err: new AggregateError([new Error(`Bearer ${SECRET}`)], 'several') },
  'in JSON that is text': { reason: `the answer was {"client_secret":"${SECRET}","x":1}` },
  'in a form': { reason: `sent grant_type=x&client_secret=${SECRET}&scope=y` },
  'in an address': { reason: `cannot reach http://me:${SECRET}@proxy.example.org:8080/ now` },
  'in the address to which a log file is uploaded': { path: `/blob/1?se=1&sig=${SECRET}` },
};

describe('redaction', () => {
  for (const name of NAMES)
    it(`does not show what is logged as ${name}`, () => assert.ok(!logged({ [name]: SECRET, sub: { [name]: SECRET } }).includes('hunter2')));

  for (const [where, facts] of Object.entries(PLANTED)) {
    it(`finds a secret ${where}`, () => {
      const line = logged(facts);
      assert.ok(!line.includes('hunter2'), line);
      assert.ok(line.includes('[secret]'));
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.equal((JSON.parse(line) as { msg: string }).msg, 'said');
    });
  }

  it('finds secrets in the message, and in what a child of the logger bears', () => {
    const line = logged({}, { message: `Bearer ${SECRET}`, component: 'x', apiKey: SECRET });
    assert.ok(!line.includes('hunter2') && line.includes('"component":"x"') && line.includes('Bearer [secret]'), line);
  });

  it('finds private keys, whole and cut off, on several lines and on one; certificates are none', () => {
    const body = PEM.split('\n')[1] ?? '';
    for (const text of [PEM, PEM.slice(0, 120), PEM.replaceAll('\n', ' '), `{"x": "${PEM}"}`, PEM.replaceAll('EC PRIVATE', 'PRIVATE')]) {
      const line = logged({ err: new Error(`cannot read ${text}`) });
      assert.ok(!line.includes(body.slice(0, 30)), line);
      assert.match(line, /cannot read.*\[secret\]/);
    }
    const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
    assert.equal(redactText(certificate), certificate);
  });

  it('finds tokens by their looks', () => assert.equal(redactText(`got ${JWT} back`), 'got [secret] back'));

  it('keeps what only sounds like a secret', () => {
    const facts = {
      keyId: 'k1',
      tokenId: 't1',
      keyIds: ['a'],
      keyFile: '/k',
      names: ['enrolment key'],
      reason: 'the token is wrong; sign in with Bearer or a key',
    };
    assert.deepEqual({ ...(JSON.parse(logged(facts)) as object), level: 0, time: 0 }, { level: 0, time: 0, ...facts, msg: 'said' });
  });

  it('gives a line without a secret back as it is', () => {
    const line = '{"level":"info","workspaceId":"11111111-1111-4111-8111-111111111111","msg":"a batch was offered upstream"}\n';
    assert.equal(redactLine(line), line);
  });

  it('does not let through a line that is no JSON', () => {
    const line = redactLine(`{"password":"${SECRET}", broken Bearer ${SECRET}\n`);
    assert.ok(!line.includes('hunter2'), line);
    assert.ok(JSON.parse(line));
  });

  it('is quick whatever a stranger sent', () => {
    for (const text of [
      '"key'.repeat(50_000),
      '://a:'.repeat(50_000),
      '-----BEGIN PRIVATE KEY-----'.repeat(5_000),
      'Bearer '.repeat(50_000),
      'eyJ'.repeat(50_000),
    ]) {
      const begin = performance.now();
      redactLine(JSON.stringify({ msg: text }));
      assert.ok(performance.now() - begin < 1_000, text.slice(0, 40));
    }
  });
});
