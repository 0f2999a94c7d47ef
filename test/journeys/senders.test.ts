// Senders without a certificate: Microsoft's own client, and what the relay prints for others to be configured with.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
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
import { readRecords } from '../support/oracle.ts';
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

function arrivedIn(site: Site, dataType: string): Row[] {
  return readRecords(site.upstream().dataFolder, BANK, dataType) as unknown as Row[];
}

test("50,000 records of Microsoft's client arrive once each, the workspace away meanwhile", async (t) => {
  await using site = await startSite({ sections: { retry: { every: '500ms', window: '1h' } } });
  const { relay } = site;
  const { local } = site.upstream();
  const client = await clientOf(relay, await createSender(relay, 'sdk'));
  await client.upload(ruleIdOf(BANK), 'Custom-First_CL', rowsFrom(0, RECORDS));
  await local.setFault({ mode: 'status', status: 503 });
  await client.upload(ruleIdOf(BANK), 'Custom-Second_CL', rowsFrom(0, RECORDS));
  assert.equal(arrivedIn(site, 'Second').length, 0);
  await local.setFault({ mode: 'none' });
  for (const dataType of ['First', 'Second']) {
    await eventually(`all of ${dataType} is there`, () => local.count(BANK).some((one) => one.dataType === dataType && one.records >= RECORDS));
    const rows = arrivedIn(site, dataType);
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
  await eventually('all rows are there', () => site.upstream.local.rows(BANK, 'Renamed_CL').length >= 5_000);
  const numbers = site.upstream.local.rows(BANK, 'Renamed_CL').map((row) => Number(row['Number']));
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
  const numbers = site.upstream.local.rows(BANK, 'Straight_CL').map((row) => Number(row['Number']));
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
  await eventually('the record is there', () => arrivedIn(site, 'RelayTest').length === 1);
});
