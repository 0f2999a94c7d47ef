import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentId } from '../../../src/workspace/workspace-id.ts';
import { BANK, createIntakeRig, type IntakeRig, type RigSettings } from '../../intake/rig.ts';
import { CLIENT_ID, CLIENT_SECRET, readFluentBit } from '../../support/fluent-bit-captures.ts';

const CAPTURE = readFluentBit('4-ali-httpauth/001');
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const GRANT = `grant_type=client_credentials&scope=https%3A%2F%2Fmonitor.azure.com%2F.default&client_id=${CLIENT_ID}`;

async function createTokenRig(settings: RigSettings = {}, secret = CLIENT_SECRET): Promise<IntakeRig> {
  const rig = await createIntakeRig(settings);
  rig.group.senders.create({ name: 'fluent', workspaceId: BANK, clientId: CLIENT_ID as AgentId, secret });
  return rig;
}

interface Answer {
  readonly status: number;
  readonly result: { access_token?: string; token_type?: string; expires_in?: number; error?: string; error_codes?: number[]; error_description?: string };
}

async function ask(rig: IntakeRig, payload: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const answer = await rig.intake.hapi.inject({ method: 'POST', url: '/any-tenant/oauth2/v2.0/token', headers: { ...FORM, ...headers }, payload });
  return { status: answer.statusCode, result: JSON.parse(answer.payload) as Answer['result'] };
}

const REFUSED: readonly (readonly [what: string, form: string, status: number, error: string, code: number])[] = [
  ['no form', '', 400, 'invalid_request', 900_144],
  ['another grant', 'grant_type=password&client_id=x', 400, 'unsupported_grant_type', 70_003],
  ['no client id', 'grant_type=client_credentials', 400, 'invalid_request', 900_144],
  ['no secret', GRANT, 401, 'invalid_client', 7_000_218],
  ['another secret', `${GRANT}&client_secret=wrong`, 401, 'invalid_client', 7_000_215],
  ['a client id that nobody has', 'grant_type=client_credentials&client_id=nobody&client_secret=x', 401, 'invalid_client', 7_000_215],
];

describe('the token endpoint', () => {
  it('gives Fluent Bit the token that it asks for, with a form that is not percent-encoded', async () => {
    await using rig = await createTokenRig();
    const answer = await rig.intake.hapi.inject({ method: 'POST', url: CAPTURE.target, headers: CAPTURE.headers, payload: CAPTURE.body });
    assert.equal(answer.statusCode, 200);
    const { access_token: token, ...rest } = answer.result as { access_token: string };
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3_600, ext_expires_in: 3_600 });
    assert.equal(rig.group.senderTokens.check(token).valid, true);
    assert.equal(answer.headers['cache-control'], 'no-store');
  });

  it('refuses it with any character of the secret changed', async () => {
    await using rig = await createTokenRig({ enrolment: { badCredentialsPerMinute: 1_000 } });
    const text = CAPTURE.body.toString();
    for (let at = text.indexOf(CLIENT_SECRET); at < text.length; at += 1) {
      const answer = await ask(rig, `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`);
      assert.deepEqual([at, answer.status, answer.result.error], [at, 401, 'invalid_client']);
    }
  });

  for (const secret of ['a+b/c==', 'per%cent', 'per%41cent', 'um läut', 'plus+plus%2B']) {
    it(`takes the secret ${secret} whether the form is percent-encoded or not`, async () => {
      await using rig = await createTokenRig({}, secret);
      assert.equal((await ask(rig, `${GRANT}&client_secret=${encodeURIComponent(secret)}`)).status, 200);
      assert.equal((await ask(rig, `${GRANT}&client_secret=${secret}`)).status, 200);
      const basic = (text: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
      assert.equal((await ask(rig, 'grant_type=client_credentials', basic(`fluent:${secret}`))).status, 200);
      assert.equal((await ask(rig, 'grant_type=client_credentials', basic(`${CLIENT_ID}:${encodeURIComponent(secret)}`))).status, 200);
    });
  }

  for (const [what, form, status, error, code] of REFUSED) {
    it(`answers ${what} with ${status} ${error}, in Entra's words`, async () => {
      await using rig = await createTokenRig();
      const answer = await ask(rig, form);
      assert.deepEqual([answer.status, answer.result.error, answer.result.error_codes], [status, error, [code]]);
      assert.match(answer.result.error_description ?? '', new RegExp(`^AADSTS${code}: `));
      assert.equal(answer.result.access_token, undefined);
    });
  }

  it('gives none to a sender that is suspended, and says so to whoever knows its secret', async () => {
    await using rig = await createTokenRig();
    rig.group.registry.setState(BANK, CLIENT_ID as AgentId, 'suspended', 'the test says so');
    const answer = await ask(rig, `${GRANT}&client_secret=${CLIENT_SECRET}`);
    assert.equal(answer.result.error, 'unauthorized_client');
    assert.match(answer.result.error_description ?? '', /the test says so/);
  });

  it('enters failures in the audit log and counts all, without the secret', async () => {
    await using rig = await createTokenRig();
    await ask(rig, `${GRANT}&client_secret=a-wrong-secret`);
    await ask(rig, `${GRANT}&client_secret=${CLIENT_SECRET}`);
    assert.deepEqual(
      rig.entries.map(({ action, result, detail }) => [action, result, detail]),
      [['sign-in.fail', 'refused', 'bad-credentials']],
    );
    assert.equal(await rig.figure('relay_sender_sign_ins_total{outcome="granted"}'), 1);
    assert.equal(await rig.figure('relay_sender_sign_ins_total{outcome="bad-credentials"}'), 1);
    const log = JSON.stringify(rig.lines('debug', 'info', 'warn', 'error'));
    assert.ok(!log.includes('a-wrong-secret') && !log.includes(CLIENT_SECRET));
  });

  it('answers bad secrets with 429 after ten of an address, and grants good ones of the same address all the while', async () => {
    await using rig = await createTokenRig();
    for (let bad = 0; bad < 10; bad += 1) await ask(rig, `${GRANT}&client_secret=wrong`);
    assert.equal((await ask(rig, `${GRANT}&client_secret=wrong`)).status, 429);
    assert.equal((await ask(rig, `${GRANT}&client_secret=${CLIENT_SECRET}`)).status, 200);
    rig.clock.advance(60_000);
    assert.equal((await ask(rig, `${GRANT}&client_secret=wrong`)).status, 401);
  });

  it('has the pages that sign-in libraries read before', async () => {
    await using rig = await createTokenRig();
    const page = async (url: string): Promise<Record<string, unknown>> =>
      JSON.parse((await rig.intake.hapi.inject({ url, headers: { host: 'relay.test:8443' } })).payload) as Record<string, unknown>;
    assert.equal((await page('/common/v2.0/.well-known/openid-configuration'))['token_endpoint'], 'https://relay.test:8443/common/oauth2/v2.0/token');
    assert.equal(
      (await page('/common/discovery/instance'))['tenant_discovery_endpoint'],
      'https://relay.test:8443/common/v2.0/.well-known/openid-configuration',
    );
  });
});
