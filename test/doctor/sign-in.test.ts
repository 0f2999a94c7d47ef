import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding.ts';
import { APP, RULE, SECRET, startCloud, TENANT } from '../local-workspace/intake/ingestion/cloud.ts';
import { BANK, createPatient } from './patient.ts';

suite('the doctor signs in as the relay would', () => {
  test('with the right secret there is a token, and nothing of it is shown', async (t) => {
    const { findings, text } = await examined(t, SECRET);
    assert.equal(at(findings, 'sign-in: token').state, 'good', text);
    assert.match(at(findings, 'sign-in: token').what, new RegExp(`signed in as ${APP}`));
    assert.ok(!text.includes(SECRET) && !/eyJ/.test(text));
  });

  test('a wrong secret is found, and named in words', async (t) => {
    const { findings, text } = await examined(t, 'not-the-secret');
    const found = at(findings, 'sign-in: token');
    assert.equal(found.state, 'wrong');
    assert.match(found.what, /AADSTS7000215/);
    assert.match('remedy' in found ? found.remedy : '', /ingestion\.signIn\.secretFile/);
    assert.ok(!text.includes('not-the-secret'));
  });

  test('a secret file that is not there', async (t) => {
    const { findings } = await examined(t, undefined);
    assert.equal(at(findings, 'sign-in: token').state, 'wrong');
    assert.match(at(findings, 'sign-in: token').what, /cannot be read/);
  });
});

async function examined(t: Parameters<typeof startCloud>[0], secret: string | undefined): Promise<{ findings: readonly Finding[]; text: string }> {
  await using patient = await createPatient();
  const { listening } = await startCloud(t);
  if (secret !== undefined) await patient.write('secret', secret);
  const trustFile = await patient.write('root.pem', listening.rootPem);
  const signIn = { tenantId: TENANT, clientId: APP, secretFile: 'secret', authority: listening.url, trustFile };
  const workspace = { id: BANK, name: 'bank', protocol: 'logs-ingestion', trustFile, ingestion: { endpoint: listening.url, ruleId: RULE, signIn } };
  const findings = await patient.findings({ workspaces: [workspace] });
  return { findings, text: JSON.stringify(findings, null, 1) };
}

function at(findings: readonly Finding[], step: string): Finding {
  const found = findings.find((finding) => finding.step === step);
  assert.ok(found, `no step ${step}: ${JSON.stringify(findings)}`);
  return found;
}
