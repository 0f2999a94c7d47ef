// Senders without a certificate: Microsoft's own client, and what the relay prints for others to be configured with.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ClientSecretCredential } from '@azure/identity';
import { LogsIngestionClient } from '@azure/monitor-ingestion';
import type { CreatedSender, SenderCredential } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { ruleIdOf } from '../../src/intake/rule-owners.ts';
import { configurationOf } from '../../src/sender-configuration/configurations.ts';
import { startAzureSite } from '../support/azure-site.ts';
import { eventually } from '../support/eventually.ts';
import type { RelayProcess } from '../support/relay-process.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

const RECORDS = 50_000;
const run = promisify(execFile);

interface Row {
  readonly Number: number;
  readonly Text: string;
}

function rowsFrom(first: number, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, at) => ({
    TimeGenerated: new Date().toISOString(),
    Number: first + at,
    Text: `record ${first + at} – größer`,
    Nested: { a: [at] },
  }));
}

async function createSender({ socket }: RelayProcess, name: string): Promise<CreatedSender> {
  return await ask<CreatedSender>(socket, 'POST', '/senders', { name, workspaceId: BANK });
}

/** Microsoft's client, signed in at the relay's own token endpoint. */
async function clientOf(relay: RelayProcess, { sender, secret }: CreatedSender): Promise<LogsIngestionClient> {
  const url = `https://localhost:${relay.port()}`;
  const options = { authorityHost: url, disableInstanceDiscovery: true, tlsOptions: { ca: await readFile(relay.rootFile, 'utf8') } };
  return new LogsIngestionClient(url, new ClientSecretCredential(BANK, sender.clientId, secret, options), options);
}

async function arrivedIn(site: Site, dataType: string): Promise<Row[]> {
  const records = await site.upstream().local.query(BANK, { dataType, limit: 2 * RECORDS });
  return records.map(({ data }) => data as Row);
}

test("50,000 records of Microsoft's client arrive once each, the workspace away meanwhile", async (t) => {
  await using site = await startSite({ sections: { retry: { every: '500ms', window: '1h' } } });
  const { relay } = site;
  const { local } = site.upstream();
  const client = await clientOf(relay, await createSender(relay, 'sdk'));
  await client.upload(ruleIdOf(BANK), 'Custom-First_CL', rowsFrom(0, RECORDS));
  await local.setFault({ mode: 'status', status: 503 });
  await client.upload(ruleIdOf(BANK), 'Custom-Second_CL', rowsFrom(0, RECORDS));
  assert.deepEqual(await arrivedIn(site, 'Second'), []);
  await local.setFault({ mode: 'none' });
  for (const dataType of ['First', 'Second']) {
    await eventually(`all of ${dataType} is there`, () => local.count(BANK).some((one) => one.dataType === dataType && one.records >= RECORDS));
    const rows = await arrivedIn(site, dataType);
    assert.deepEqual([rows.length, new Set(rows.map(({ Number: number }) => number)).size], [RECORDS, RECORDS]);
    assert.ok(rows.every(({ Number: number, Text: text }) => text === `record ${number} – größer`));
  }
  t.diagnostic(`${local.count(BANK).reduce((sum, { batches }) => sum + batches, 0)} batches`);
});

test("Microsoft's client behind a relay in front of the Logs Ingestion API: rows reach the stream that it named", async () => {
  const columns = [
    { name: 'TimeGenerated', type: 'datetime' },
    { name: 'Number', type: 'int' },
    { name: 'Text', type: 'string' },
  ] as const;
  await using site = await startAzureSite({ streams: { 'Custom-Own': { table: 'Renamed_CL', columns: [...columns] } } });
  const client = await clientOf(site.relay, await createSender(site.relay, 'sdk'));
  await client.upload(ruleIdOf(BANK), 'Custom-Own', rowsFrom(0, 5_000));
  await eventually('all rows are there', async () => (await site.upstream.local.rows(BANK, 'Renamed_CL')).length >= 5_000);
  const numbers = (await site.upstream.local.rows(BANK, 'Renamed_CL')).map((row) => Number(row['Number']));
  assert.deepEqual([numbers.length, new Set(numbers).size], [5_000, 5_000]);
});

test("Microsoft's client straight to the local workspace: 50,000 records, once each", async () => {
  const columns = [
    { name: 'TimeGenerated', type: 'datetime' },
    { name: 'Number', type: 'int' },
  ] as const;
  await using site = await startAzureSite({ streams: { 'Custom-Straight_CL': { table: 'Straight_CL', columns: [...columns] } } });
  const { url, rootPath } = site.upstream.listening;
  const { tenantId, clientId, secret, ruleId } = site.application;
  const options = { authorityHost: url, disableInstanceDiscovery: true, tlsOptions: { ca: await readFile(rootPath, 'utf8') } };
  const client = new LogsIngestionClient(url, new ClientSecretCredential(tenantId, clientId, secret, options), options);
  await client.upload(ruleId, 'Custom-Straight_CL', rowsFrom(0, RECORDS));
  const numbers = (await site.upstream.local.rows(BANK, 'Straight_CL')).map((row) => Number(row['Number']));
  assert.deepEqual([numbers.length, new Set(numbers).size], [RECORDS, RECORDS]);
});

test('the call that is printed for curl is taken as it stands', async () => {
  await using site = await startSite();
  const { relay, folder } = site;
  await createSender(relay, 'web01');
  const credential = await ask<SenderCredential>(relay.socket, 'GET', '/senders/web01/credential');
  const roots = join(folder, 'relay-roots.pem');
  await writeFile(roots, credential.roots);
  const script = configurationOf('curl')?.write({ ...credential, domain: 'localhost', port: relay.port() }, roots) ?? '';
  await run('bash', ['-ec', script]);
  await eventually('the record is there', async () => (await arrivedIn(site, 'RelayTest')).length === 1);
});

test('records of the Data Collector API become a custom table of the local workspace, and rows of the stream that is named after them', async () => {
  const time = new Date(Date.now() - 3_600_000).toISOString();
  const record = { When: time, Message: 'größer', Count: 42, Nested: { a: [1, 2] } };
  await using plain = await startSite();
  await postSigned(plain.relay, await createSender(plain.relay, 'dc'), JSON.stringify(record));
  await postSigned(plain.relay, await createSender(plain.relay, 'dc2'), JSON.stringify([record, record]));
  await eventually('all are there', async () => (await arrivedIn(plain, 'Orders')).length === 3);
  // What is nested is a text there, as the API documents it.
  const kept = { ...record, Nested: JSON.stringify(record.Nested) };
  assert.deepEqual(await arrivedIn(plain, 'Orders'), [kept, kept, kept]);

  const columns = [
    { name: 'TimeGenerated', type: 'datetime' },
    { name: 'Message', type: 'string' },
    { name: 'Count', type: 'int' },
    { name: 'Nested', type: 'dynamic' },
  ] as const;
  await using azure = await startAzureSite({ streams: { 'Custom-Orders_CL': { table: 'Orders_CL', columns: [...columns] } } });
  await postSigned(azure.relay, await createSender(azure.relay, 'dc'), JSON.stringify(record));
  await eventually('the row is there', async () => (await azure.upstream.local.rows(BANK, 'Orders_CL')).length === 1);
  const [{ TimeGenerated, Message, Count, Nested } = {}] = (await azure.upstream.local.rows(BANK, 'Orders_CL')) as readonly Record<string, unknown>[];
  assert.deepEqual({ TimeGenerated, Message, Count, Nested }, { TimeGenerated: time, Message: 'größer', Count: 42, Nested: { a: [1, 2] } });
});

/** One post of the Data Collector API. */
async function postSigned(relay: RelayProcess, { secret }: CreatedSender, body: string): Promise<void> {
  const date = new Date().toUTCString();
  const signed = `POST\n${Buffer.byteLength(body)}\napplication/json\nx-ms-date:${date}\n/api/logs`;
  const signature = createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'log-type': 'Orders',
    'time-generated-field': 'When',
    'x-ms-date': date,
    authorization: `SharedKey ${BANK}:${signature}`,
  };
  const { port, rootFile } = { port: relay.port(), rootFile: relay.rootFile };
  const sending = request({ host: 'localhost', port, path: '/api/logs?api-version=2016-04-01', method: 'POST', headers, ca: await readFile(rootFile, 'utf8') });
  sending.end(body);
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  answer.resume();
  assert.equal(answer.statusCode, 200);
}
