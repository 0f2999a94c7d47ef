import assert from 'node:assert/strict';
import { createHash, sign } from 'node:crypto';
import { test } from 'node:test';
import { fromPem } from '../../../../src/authority/x509.ts';
import { startRig } from '../../rig.ts';
import { APP, appCertificate, askToken, codeOf, declarationOf, SECRET, startCloud, TENANT, tokenOf, upload } from './cloud.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

interface Refused {
  readonly error: string;
  readonly error_codes: readonly number[];
  readonly error_description: string;
}

test('a token is granted in the words of Entra, and lasts as long as declared', async (t) => {
  let now = Math.floor(Date.now() / 1_000) * 1_000;
  const rig = await startCloud(t, declarationOf({}, { tokenLifeS: 60 }), { now: () => now, after: () => () => {} });
  const { status, text } = await askToken(rig);
  const { access_token: token, ...rest } = JSON.parse(text) as { access_token: string };
  assert.deepEqual([status, rest], [200, { token_type: 'Bearer', expires_in: 60, ext_expires_in: 60 }]);
  now += 59_000;
  assert.equal((await upload(rig, [{ HostName: 'a' }], { token })).status, 204);
  now += 1_000;
  const expired = await upload(rig, [{ HostName: 'a' }], { token });
  assert.equal(codeOf(expired), '401 AuthenticationFailed');
  assert.match(String(expired.headers['www-authenticate']), /^Bearer authorization_uri="https:.*", error="invalid_token"$/);
});

test('what is no proof is refused with the number Entra has for it', async (t) => {
  const ended = { value: 'ended', notAfter: '2020-01-01T00:00:00Z' };
  const rig = await startCloud(t, declarationOf({}, { apps: [{ clientId: APP, secrets: [SECRET, ended] }] }));
  const cases: [Record<string, string | undefined>, number, string, number][] = [
    [{ client_secret: 'wrong' }, 401, 'invalid_client', 7_000_215],
    [{ client_secret: 'ended' }, 401, 'invalid_client', 7_000_222],
    [{ client_secret: undefined }, 401, 'invalid_client', 7_000_218],
    [{ client_id: TENANT }, 400, 'unauthorized_client', 700_016],
    [{ client_id: undefined }, 400, 'invalid_request', 900_144],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type', 70_003],
    [{ scope: 'https://monitor.azure.com/read' }, 400, 'invalid_scope', 1_002_012],
    [{ scope: 'https://vault.azure.net/.default' }, 400, 'invalid_resource', 500_011],
    [{ client_secret: undefined, client_assertion: 'a.b.c' }, 400, 'invalid_request', 700_026],
    [{ client_secret: undefined, client_assertion: 'a.b.c', client_assertion_type: ASSERTION_TYPE }, 401, 'invalid_client', 50_027],
  ];
  for (const [fields, status, error, code] of cases) {
    const reply = await askToken(rig, fields);
    const refused = JSON.parse(reply.text) as Refused;
    assert.deepEqual([reply.status, refused.error, refused.error_codes], [status, error, [code]], JSON.stringify(fields));
    assert.match(refused.error_description, new RegExp(`^AADSTS${code}: .* Trace ID: .* Correlation ID: .* Timestamp: `));
  }
  assert.equal((await askToken(rig, {}, APP)).status, 400);
});

test('an assertion counts for its app, its endpoint, its time and its certificate only', async (t) => {
  const [registered, expired, stranger] = [appCertificate(), appCertificate(new Date(Date.now() - 86_400_000)), appCertificate()];
  const rig = await startCloud(t, declarationOf({}, { apps: [{ clientId: APP, certificates: [registered.certificate, expired.certificate] }] }));
  const seconds = Math.floor(Date.now() / 1_000);
  const good = { iss: APP, sub: APP, aud: `https://127.0.0.1:${rig.listening.port}/${TENANT}/oauth2/v2.0/token`, nbf: seconds, exp: seconds + 600 };
  const outcome = async (claims: object, pair = registered, named = pair): Promise<number> => {
    const x5t = createHash('sha256').update(fromPem(named.certificate)).digest('base64url');
    const head = [{ alg: 'RS256', 'x5t#S256': x5t }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const assertion = `${head}.${sign('sha256', Buffer.from(head), pair.privateKey).toString('base64url')}`;
    const { text } = await askToken(rig, { client_secret: undefined, client_assertion: assertion, client_assertion_type: ASSERTION_TYPE });
    return (JSON.parse(text) as Partial<Refused>).error_codes?.[0] ?? 0;
  };
  assert.equal(await outcome(good), 0);
  assert.equal(await outcome({ ...good, aud: 'https://elsewhere/token' }), 700_023);
  assert.equal(await outcome({ ...good, iss: TENANT }), 700_021);
  assert.equal(await outcome({ ...good, exp: seconds - 400 }), 700_024);
  assert.equal(await outcome({ ...good, nbf: seconds + 4_000 }), 700_024);
  assert.equal(await outcome(good, expired), 1_000_502);
  assert.equal(await outcome(good, stranger), 700_027);
  assert.equal(await outcome(good, stranger, registered), 700_027);
});

test('a token of one cloud, of another local workspace, or changed on the way opens nothing', async (t) => {
  const [rig, other] = [await startCloud(t), await startCloud(t)];
  const chinese = JSON.parse((await askToken(rig, { scope: 'https://monitor.azure.cn/.default' })).text) as { access_token: string };
  const [head, body, signature] = (await tokenOf(rig)).split('.');
  const changed = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(String(body), 'base64url').toString()), exp: 9e9 })).toString('base64url');
  for (const token of [undefined, 'x', chinese.access_token, await tokenOf(other), `${head}.${changed}.${signature}`]) {
    const reply = await upload(rig, [{ HostName: 'a' }], { token });
    assert.equal(codeOf(reply), '401 AuthenticationFailed', token);
    assert.match(String(reply.headers['www-authenticate']), /^Bearer /);
  }
});

test('a token outlives a restart and the change of a secret', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  await rig.local.stop();
  const again = await startRig(t, { dataFolder: rig.dataFolder, ingestion: declarationOf() });
  again.local.declare(declarationOf({}, { apps: [{ clientId: APP, secrets: ['another'] }] }));
  assert.equal((await askToken(again)).status, 401);
  assert.equal((await upload(again, [{ HostName: 'a' }], { token })).status, 204);
});

test('the token service fails by itself while uploads go on, and the other way round', async (t) => {
  const rig = await startCloud(t);
  const token = await tokenOf(rig);
  await rig.local.setFault({ mode: 'status', status: 503, path: 'token' });
  const refused = await askToken(rig);
  assert.deepEqual([refused.status, (JSON.parse(refused.text) as Refused).error], [503, 'temporarily_unavailable']);
  assert.equal((await upload(rig, [{ HostName: 'a' }], { token })).status, 204);
  await rig.local.setFault({ mode: 'error', path: 'ingestion' });
  assert.equal((await askToken(rig)).status, 200);
  assert.equal(codeOf(await upload(rig, [{ HostName: 'a' }], { token })), '500 InternalServerError');
});
