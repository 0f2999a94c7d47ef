import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { APP, declarationOf, RULE, SECRET, startCloud, TENANT } from '../local-workspace/intake/ingestion/cloud.ts';
import { startUpstream } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { BANK, createPatient } from './patient.ts';

suite('the doctor sends one record where it is asked to', () => {
  test('by the Operational Data protocol, as a sender of its own', async () => {
    await using patient = await createPatient();
    await using folder = await temporaryFolder();
    await using upstream = await startUpstream(folder.path, parseWorkspaceId(BANK));
    const findings = await patient.findings({ workspaces: [upstream.option] }, { upload: true });
    const found = findings.find(({ step }) => step === 'test upload');
    assert.equal(found?.state, 'good', JSON.stringify(findings, null, 1));
    assert.deepEqual(
      upstream.local.count().map(({ dataType, records }) => [dataType, records]),
      [['OPERATION_BLOB', 1]],
    );
  });

  test('by Logs Ingestion; without the role on the rule it is told which one', async (t) => {
    await using patient = await createPatient();
    const columns = [{ name: 'TimeGenerated', type: 'datetime' as const }];
    const streams = { 'Custom-Operation_CL': { table: 'Operation_CL', columns } };
    const rig = await startCloud(t, declarationOf({ streams }));
    const { listening } = rig;
    await patient.write('secret', SECRET);
    const trustFile = await patient.write('root.pem', listening.rootPem);
    const signIn = { tenantId: TENANT, clientId: APP, secretFile: 'secret', authority: listening.url, trustFile };
    const workspace = { id: BANK, name: 'bank', protocol: 'logs-ingestion', trustFile, ingestion: { endpoint: listening.url, ruleId: RULE, signIn } };
    const find = async () => (await patient.findings({ workspaces: [workspace] }, { upload: true })).find(({ step }) => step === 'test upload');
    const sent = await find();
    assert.equal(sent?.state, 'good', JSON.stringify(sent));
    rig.local.declare(declarationOf({ streams, allowedApps: [] }));
    const refused = await find();
    assert.equal(refused?.state, 'wrong');
    assert.match('remedy' in refused ? refused.remedy : '', /Monitoring Metrics Publisher/, JSON.stringify(refused));
  });
});
