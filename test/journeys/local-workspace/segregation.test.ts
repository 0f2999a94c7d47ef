/** What is of one workspace does nothing in another: over the wire. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { createAgentIdentity } from '../../../src/authority/agent-identity.ts';
import { fromPem } from '../../../src/authority/x509.ts';
import { RENEW_PATH, UPLOAD_PATH } from '../../../src/oms-protocol/paths.ts';
import { writeRenewalRequest } from '../../../src/oms-protocol/topology-request.ts';
import { parseAgentId, parseWorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { APP, OTHER_APP } from '../../local-workspace/intake/ingestion/cloud.ts';
import { BANK, createAgent, onboard, PLANT, post, type TestAgent, temporaryFolder } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { question, rowsOf, type Wanted } from './https.ts';
import { type Place, startPlace } from './place.ts';
import { agentOf, BANK_RULE, PLANT_RULE, RULES, sendLedger, sendSyslog, signIn } from './senders.ts';

const NOWHERE = parseWorkspaceId('99999999-9999-4999-8999-999999999999');

interface Two {
  readonly place: Place;
  readonly bank: TestAgent;
  readonly plant: TestAgent;
}

/** Both workspaces have a row of syslog and one that came by Logs Ingestion. */
async function startTwo(t: Parameters<typeof startPlace>[0], settings: object = {}): Promise<Two> {
  const place = await startPlace(t, { settings, more: { ingestion: RULES } });
  const [bank, plant] = [await agentOf(place, BANK), await agentOf(place, PLANT)];
  await sendSyslog(place, bank, ['of the bank']);
  await sendSyslog(place, plant, ['of the plant']);
  for (const [app, rule, Text] of [
    [APP, BANK_RULE, 'entry of the bank'],
    [OTHER_APP, PLANT_RULE, 'entry of the plant'],
  ] as const)
    assert.equal((await sendLedger(place, { token: await signIn(place, app), rule, records: [{ Text }] })).status, 204);
  return { place, bank, plant };
}

async function plantIsAsItWas({ place }: Two): Promise<void> {
  const all = JSON.stringify(await place.rows(PLANT, 'union Syslog, Ledger_CL | order by TimeGenerated asc'));
  assert.ok(all.includes('of the plant') && all.includes('entry of the plant'), all);
  assert.ok(!all.includes('bank'), all);
  assert.deepEqual(await place.rows(PLANT, 'union Syslog, Ledger_CL | summarize count() by TenantId'), [[PLANT, 2]]);
}

test('a certificate of one workspace brings nothing to another, whatever the upload says', async (t) => {
  const two = await startTwo(t);
  const { place, bank } = two;
  const items = [{ Timestamp: new Date().toISOString(), Message: 'smuggled', TenantId: PLANT, WorkspaceId: PLANT, _ResourceId: `/workspaces/${PLANT}` }];
  const envelope = { DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', TenantId: PLANT, WorkspaceId: PLANT, CustomerId: PLANT, DataItems: items };
  const body = deflateSync(JSON.stringify(envelope));
  const names = { host: `${PLANT}.ods.opinsights.azure.com`, 'x-workspace-id': PLANT, 'x-relay-agent-id': two.plant.agentId };
  for (const path of [UPLOAD_PATH, `${UPLOAD_PATH}?workspace=${PLANT}`]) {
    assert.equal((await post(place.listening(), bank.identity, { path, body, headers: { 'content-encoding': 'deflate', ...names } })).status, 200);
  }
  await plantIsAsItWas(two);
  assert.deepEqual(await place.rows(BANK, 'Syslog | where SyslogMessage == "smuggled" | summarize count() by TenantId'), [[BANK, 2]]);
});

test('a certificate is let in where it was registered alone', async (t) => {
  const two = await startTwo(t);
  const { place, bank, plant } = two;
  const send = async (agent: TestAgent): Promise<string> => {
    const { status, text } = await sendSyslog(place, agent, ['of the bank']);
    return status === 200 ? '200' : `${status} ${(JSON.parse(text) as { error: { code: string } }).error.code}`;
  };
  // Of the right name and the right agent, never registered.
  const forged = { ...plant, identity: await createAgentIdentity(PLANT, plant.agentId, Date.now(), 90) };
  assert.equal(await send(forged), '403 UnknownCertificate');
  const withBanksKey = await onboard(place.listening(), await createAgent(PLANT), BANK);
  assert.equal(withBanksKey.status, 403);
  // The bank's agent asks to have its certificate replaced by one of the plant.
  const renewal = Buffer.from(writeRenewalRequest(fromPem(forged.identity.certificate)));
  const renewed = await post(place.listening(), bank.identity, { path: RENEW_PATH, body: renewal });
  assert.deepEqual([renewed.status, /CertificateMismatch/.test(renewed.text)], [403, true]);
  assert.equal(await send(forged), '403 UnknownCertificate');
  const nowhere = { ...bank, identity: await createAgentIdentity(NOWHERE, parseAgentId(randomUUID()), Date.now(), 90) };
  assert.equal(await send(nowhere), '403 UnknownCertificate');
  await plantIsAsItWas(two);
});

test('a Logs Ingestion token is good for its own rule alone', async (t) => {
  const two = await startTwo(t);
  const { place } = two;
  const token = await signIn(place, APP);
  const refused = await sendLedger(place, { token, rule: PLANT_RULE, records: [{ Text: 'entry of the bank' }] });
  assert.deepEqual([refused.status, refused.headers['x-ms-error-code']], [403, 'OperationFailed']);
  // Nor is it one for people, nor one for people a sender's.
  assert.equal((await place.ask(question(BANK, 'Syslog | count', token))).status, 403);
  const owner = await place.token('owner', PLANT);
  assert.equal((await sendLedger(place, { token: owner, rule: PLANT_RULE, records: [{ Text: 'entry of the bank' }] })).status, 401);
  await plantIsAsItWas(two);
});

/** Everything there is to ask of a workspace with a token. */
function everything(id: string): readonly Wanted[] {
  const [at, query] = [`/workspaces/${id}`, `/v1/workspaces/${id}`];
  const resource = `/v1/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.OperationalInsights/workspaces/${id}`;
  const properties = { retentionInDays: 4 };
  const purge = { table: 'Syslog', filters: [{ column: 'SyslogMessage', operator: '==', value: 'of the plant' }] };
  return [
    { path: `${query}/query`, body: { query: 'Syslog' } },
    { path: `${query}/query?query=Syslog` },
    { path: `${resource}/query`, body: { query: 'Syslog' } },
    { path: `${query}/metadata` },
    { path: `${query}/savedQueries` },
    { path: `${query}/savedQueries/mine` },
    { path: `${query}/savedQueries/mine`, method: 'PUT', body: { query: 'Syslog' } },
    { path: `${query}/savedQueries/mine`, method: 'DELETE' },
    { path: at },
    { path: at, method: 'PATCH', body: { properties, confirm: true } },
    { path: `${at}/pendingRetention`, method: 'DELETE' },
    { path: `${at}/tables` },
    { path: `${at}/tables/Syslog` },
    { path: `${at}/tables/Syslog`, method: 'PUT', body: { properties, confirm: true } },
    { path: `${at}/tables/Syslog/pendingRetention`, method: 'DELETE' },
    { path: `${at}/tables/Ledger_CL?confirm=Ledger_CL`, method: 'DELETE' },
    { path: `${at}/purge`, body: purge },
    { path: `${at}/operations/purge-00000000-0000-4000-8000-000000000000` },
    { path: `${at}/lock` },
    { path: `${at}/lock`, body: { reason: 'mine' } },
    { path: `${at}/lock`, method: 'DELETE', body: { reason: 'mine' } },
    { path: `${at}/tokens` },
    { path: `${at}/tokens`, body: { name: 'mine', role: 'owner' } },
    { path: `${at}/tokens/000000000000/revoke`, body: {} },
    { path: `${at}/access-requests` },
    { path: `${at}/access-requests`, body: { role: 'owner', reason: 'mine', support: 'x' } },
    ...['approve', 'reject', 'withdraw'].map((how) => ({ path: `${at}/access-requests/ar-000000000000/${how}`, body: { comment: 'mine' } })),
    { path: `${at}/status` },
    { path: `${at}/processing`, body: { on: false } },
    { path: `${at}/key` },
    { path: `${at}/key/rotate`, body: {} },
  ];
}

test('an owner of one workspace is refused everything of another, in the words for one that does not exist', async (t) => {
  const folder = await temporaryFolder(t);
  const key = { kind: 'file', path: `${folder}/private.keys` };
  await writeFile(key.path, `one ${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const two = await startTwo(t, { workspaces: { [PLANT]: { privateStorage: { folder: `${folder}/private`, key } } } });
  const { place } = two;
  const owner = await place.token('owner');
  const nowhere = everything(NOWHERE);
  for (const [at, wanted] of everything(PLANT).entries()) {
    const answer = await place.ask({ ...wanted, token: owner });
    assert.equal(answer.word, '403 InsufficientAccessError', `${wanted.method ?? ''} ${wanted.path}`);
    assert.match(answer.text, /this token has no access to the workspace of the request/);
    const other = await place.ask({ ...(nowhere[at] as Wanted), token: owner });
    const blank = (text: string): string => text.replace(/"correlationId":"[^"]*"/, '');
    assert.equal(blank(other.text), blank(answer.text), wanted.path);
  }
  await plantIsAsItWas(two);
  // The bank's own are there: the paths are right.
  for (const wanted of everything(BANK).filter(
    ({ method, body, path }) => method === undefined && body === undefined && !/savedQueries|operations/.test(path),
  )) {
    assert.equal((await place.ask({ ...wanted, token: owner })).status, 200, wanted.path);
  }
  const refused = await eventually('the attempts are in the audit log, under the workspace that was meant', async () => {
    const lines = (await place.audit()).filter(({ result, on }) => result === 'refused' && on === PLANT);
    return lines.length > 0 && lines;
  });
  assert.ok(refused.every(({ actor }) => actor.name.startsWith('the owner')));
});

test('no query reads another workspace', async (t) => {
  const { place } = await startTwo(t);
  const reader = await place.token('reader');
  const texts = [
    `workspace("${PLANT}").Syslog`,
    `workspace('${PLANT}').Syslog | count`,
    `union Syslog, workspace("${PLANT}").Syslog`,
    `union workspace("${PLANT}").*`,
    `app("${PLANT}").traces`,
    `cluster("x").database("${PLANT}").Syslog`,
    `database("${PLANT}").Syslog`,
    `let other = workspace("${PLANT}").Syslog; other`,
    `Syslog | join kind=inner (workspace("${PLANT}").Syslog) on Computer`,
    `resource("/workspaces/${PLANT}").Syslog`,
    `externaldata(x:string)["https://localhost:${place.listening().port}/v1/workspaces/${PLANT}/query"]`,
    `Syslog | where TenantId == "${PLANT}"`,
    `union * | where TenantId == "${PLANT}"`,
    `search "of the plant"`,
    'find "of the plant"',
    'union withsource=T *',
    'Syslog',
    'union Syslog, Ledger_CL',
  ];
  for (const text of texts) {
    const answer = await place.ask(question(BANK, text, reader));
    assert.ok(answer.status === 400 || answer.status === 200, `${text}: ${answer.text}`);
    // Its own words may be quoted to who asks.
    const rows = answer.status === 200 ? JSON.stringify(rowsOf(answer).filter((row) => !row.some((cell) => texts.includes(String(cell))))) : '';
    assert.ok(!rows.includes('of the plant') && !rows.includes(PLANT), `${text}: ${rows}`);
  }
  const wanted = { path: `/v1/workspaces/${BANK}/query`, token: reader };
  const named = await place.ask({ ...wanted, body: { query: 'Syslog', workspaces: [PLANT] } });
  assert.equal(named.status, 400);
  assert.match(named.text, /a query reads the one workspace in the path\. Leave workspaces out/);
  assert.equal((await place.ask({ ...wanted, path: `${wanted.path}?query=Syslog&workspaces=${PLANT}` })).status, 400);
});

test('who asked what is kept with the workspace it was asked of; logs name the workspace', async (t) => {
  const { place } = await startTwo(t);
  const [reader, ofPlant] = [await place.token('reader'), await place.token('reader', PLANT)];
  await place.ask(question(BANK, 'Syslog | where SyslogMessage has "asked of the bank"', reader));
  await place.ask(question(PLANT, 'Syslog | where SyslogMessage has "asked of the plant"', ofPlant));
  const log = async (id: typeof BANK): Promise<unknown[][]> =>
    await place.rows(id, 'LAQueryLogs | where QueryText has "asked of" | project TenantId, QueryText');
  assert.deepEqual(await log(BANK), [[BANK, 'Syslog | where SyslogMessage has "asked of the bank"']]);
  assert.deepEqual(await log(PLANT), [[PLANT, 'Syslog | where SyslogMessage has "asked of the plant"']]);
  const queries = (await place.audit()).filter(({ action, actor }) => action === 'query.run' && actor.name.startsWith('the reader'));
  assert.deepEqual(
    queries.map(({ on }) => on),
    [BANK, PLANT],
  );
  for (const line of place.lines) {
    if (/local workspace started|audit log|incident/.test(line)) continue;
    assert.match(line, /"workspaceId":"(?:1111|2222)/, line);
  }
});
