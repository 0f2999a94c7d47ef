import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { secretsIn } from '../../src/bundle/known-secrets.ts';
import { createScrubber, isRandom } from '../../src/bundle/scrubber.ts';

const KEY = Buffer.from('a shared key of a workspace, 64 bytes long as the service makes!').toString('base64');
const PASSWORD = 'p"ss/w+rd 7';

/** What a text with a known secret in it becomes. */
const KNOWN: readonly (readonly [form: string, text: string, expected: string])[] = [
  ['as it is', `the key ${KEY} is wrong`, 'the key [secret] is wrong'],
  ['as the bytes that it stands for, in hexadecimal', `0x${Buffer.from(KEY, 'base64').toString('hex')}`, '0x[secret]'],
  ['in hexadecimal, in upper case', Buffer.from(PASSWORD).toString('hex').toUpperCase(), '[secret]'],
  ['in JSON', JSON.stringify({ found: PASSWORD }), '{"found":"[secret]"}'],
  ['in an address', `?q=${encodeURIComponent(PASSWORD)}&y=1`, '?q=[secret]&y=1'],
  ['in base64', `it sent ${Buffer.from(PASSWORD).toString('base64')} to us`, 'it sent [secret] to us'],
  ['in base64, after a name', `it sent ${Buffer.from(`relay:${PASSWORD}`).toString('base64')} to us`, 'it sent [secret] to us'],
  ['in base64, between other bytes', `it sent ${Buffer.from(`ab${PASSWORD}cde`).toString('base64')} to us`, 'it sent [secret] to us'],
  ['in base64 for addresses', `it sent ${Buffer.from(`~~${PASSWORD}~~`).toString('base64url')} to us`, 'it sent [secret] to us'],
  ['short, where it stands alone', 'requires x, as in xylophone; x', 'requires [secret], as in xylophone; [secret]'],
];

/** Texts whose secrets nobody knew. */
const UNKNOWN: readonly (readonly [what: string, text: string, expected: string])[] = [
  ['a bearer token', 'authorization was Bearer abc.def-123 today', 'authorization was Bearer [secret] today'],
  ['a signature by a shared key', 'Authorization: SharedKey 1111:AbC+/9=', 'Authorization: SharedKey [secret]'],
  ['a basic credential', 'Basic cmVsYXk6eA==', 'Basic [secret]'],
  ['a token of a sign-in service', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'got [secret]'],
  ['a password in an address', 'redis://default:hunter2@127.0.0.1:6379/0', 'redis://default:[secret]@127.0.0.1:6379/0'],
  ['a setting in YAML', 'cache:\n  password: hunter2\n  passwordFile: /etc/relay/redis\n', 'cache:\n  password: [secret]\n  passwordFile: /etc/relay/redis\n'],
  ['a setting of Redis', 'port 0\nrequirepass hunter2\n', 'port 0\nrequirepass [secret]\n'],
  ['an assignment', 'AccountName=x;AccountKey=abcd==;Suffix=y', 'AccountName=x;AccountKey=[secret];Suffix=y'],
  ['a member of JSON', '{"client_secret":"abc","on":1}', '{"client_secret":"[secret]","on":1}'],
  ['an address that is signed', 'https://x.blob.core.windows.net/c/b?sv=1&sig=abc%2Bd&se=2', 'https://x.blob.core.windows.net/c/b?sv=1&sig=[secret]&se=2'],
];

/** What must stay, because it helps and tells nothing. */
const HARMLESS: readonly string[] = [
  'root fingerprint 5f2ab0c6e09ad13d1b7f3e7c6e3e1f6a84d1f9e6a7b3c2d1e0f9a8b7c6d5e4f3',
  '5F:2A:B0:C6:E0:9A:D1:3D:1B:7F:3E:7C:6E:3E:1F:6A:84:D1:F9:E6:A7:B3:C2:D1:E0:F9:A8:B7:C6:D5:E4:F3',
  'Performance-018fd1c2-7a3b-7c4d-8e5f-0123456789ab.17',
  '/var/lib/relay/cache/segments/11111111-1111-4111-8111-111111111111/Event-018fd1c2-7a3b-7c4d-8e5f-0123456789ab.segment',
  'relay_upstream_sign_in_expiry_timestamp_seconds{workspace="bank",of="token"} 1.7e+09',
  'sharedKeyFile: /etc/relay/workspace.key\ncredential: token\nkeyLife: 90d',
  'https://bank-a1b2.westeurope-1.ingest.monitor.azure.com:443/dataCollectionRules',
  'ConfigurationChangeTrackingAndInventoryForLinuxServers2019',
  'dataCollectionRuleImmutableIdNotFound',
];

describe('the scrubber', () => {
  const scrub = createScrubber([KEY, PASSWORD, 'x']);
  for (const [form, text, expected] of KNOWN) it(`takes out a secret that is known: ${form}`, () => assert.equal(scrub(text), expected));

  const knowsNothing = createScrubber([]);
  for (const [what, text, expected] of UNKNOWN) it(`takes out what looks like a secret: ${what}`, () => assert.equal(knowsNothing(text), expected));

  it('takes out a private key, however its lines are broken', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    assert.equal(knowsNothing(`before\n${pem}after`), 'before\n[secret]\nafter');
    const known = createScrubber(secretsIn(pem));
    const [, middle = ''] = pem.split('\n');
    assert.equal(known(`a line of it: ${middle}`), 'a line of it: [secret]');
    assert.equal(known(privateKey.export({ type: 'pkcs8', format: 'der' }).toString('hex')), '[secret]');
  });

  it('takes out enrolment keys and one-time tokens that nobody knew, a thousand of a thousand', () => {
    for (let at = 0; at < 1_000; at += 1) {
      const secret = at % 2 === 0 ? randomBytes(64).toString('base64') : randomBytes(32).toString('base64url');
      assert.doesNotMatch(knowsNothing(`made ${secret} now`), /[\w+/-]{32}/);
    }
  });

  for (const text of HARMLESS) it(`leaves alone: ${text.slice(0, 40)}`, () => assert.equal(knowsNothing(text), text));

  it('is quick about a text of some megabytes', () => {
    const line = '{"level":"info","time":"2026-11-23T00:00:00.000Z","workspaceId":"11111111-1111-4111-8111-111111111111","msg":"delivered"}\n';
    const many = createScrubber(Array.from({ length: 30 }, () => randomBytes(64).toString('base64')));
    const begun = performance.now();
    assert.equal(many(line.repeat(30_000)).length, line.length * 30_000);
    assert.ok(performance.now() - begun < 10_000);
  });
});

describe('what looks like chance', () => {
  it('is not what people call things', () => {
    assert.ok(isRandom('q3Zf9KxT0aBv7LmN2cYp5RdW8eHs1JgU'));
    assert.ok(!isRandom('relay_upstream_path_verified_timestamp'));
    assert.ok(!isRandom('AZUREMONITORLOGSINGESTIONAPI20230101'));
  });
});

describe('what is secret in a file', () => {
  it('is the keys of a key ring, not its names and times', () => {
    const key = randomBytes(32).toString('base64');
    assert.deepEqual(secretsIn(JSON.stringify({ current: 'abcd1234', keys: { abcd1234: key }, createdAt: { abcd1234: '2026-11-23T00:00:00.000Z' } })), [key]);
  });

  it('is all of another file, and each of its lines', () => {
    assert.deepEqual(secretsIn('one\ntwo\n'), ['one\ntwo', 'one', 'two']);
  });

  it('is nothing of a certificate', () => {
    assert.deepEqual(secretsIn('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'), []);
  });
});
