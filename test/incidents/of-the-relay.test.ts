/** A whole relay that finds something wrong by itself. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { type Identity as AgentIdentity, createAgentIdentity } from '../../src/authority/agent-identity.ts';
import type { Incident, IncidentRecord } from '../../src/incidents/incident.ts';
import type { Notice } from '../../src/incidents/notice.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { UPLOAD_HEADERS } from '../support/fleet.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, startSite } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createIdentity, startHook } from './receivers.ts';

const STRANGER = parseAgentId('9f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');

async function upload(port: number, { certificate, privateKey }: AgentIdentity): Promise<number> {
  const outgoing = request({
    host: '127.0.0.1',
    port,
    path: UPLOAD_PATH,
    method: 'POST',
    rejectUnauthorized: false,
    agent: false,
    cert: certificate,
    key: privateKey,
  });
  outgoing.end('x');
  const [response] = (await once(outgoing, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

test('certificates that a relay refuses in number are an incident: told, on the command line, in the metrics, and there after kill -9', async () => {
  await using folder = await temporaryFolder();
  const identity = await createIdentity(folder.path);
  await using hook = await startHook(identity);
  const url = `https://127.0.0.1:${hook.port}/`;
  const incidents = { thresholds: { certificatesRefused: 5 }, webhook: { url, secretFile: 'hook.secret', trustFile: identity.trustFile } };
  const prepare = (place: string): Promise<void> => writeFile(join(place, 'hook.secret'), 'a-long-secret\n', { mode: 0o600 });
  await using site = await startSite({ sections: { incidents, metrics: { port: 0 } }, prepare });
  const { intakePort, metricsPort } = await site.relay.status();
  const stranger = await createAgentIdentity(BANK, STRANGER, Date.now(), 90);

  for (let count = 0; count < 4; count += 1) assert.equal(await upload(intakePort, stranger), 403);
  const list = async (): Promise<Incident[]> => JSON.parse(await runWell(['incidents', 'list', '--json', '--socket', site.relay.socket])) as Incident[];
  assert.deepEqual(await list(), []);
  assert.equal(await upload(intakePort, stranger), 403);

  const [found] = await eventually('an incident', async () => {
    const incidentsFound = await list();
    return incidentsFound.length > 0 && incidentsFound;
  });
  assert.deepEqual([found?.kind, found?.source, found?.count], ['certificates-refused', 'relay', 5]);
  const { body } = await eventually('the notice', () => hook.received[0]);
  assert.deepEqual([(JSON.parse(body) as Notice).occasion, (JSON.parse(body) as Notice).incident.id], ['detected', 'INC-0001']);
  assert.match(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(), /^relay_incidents_open\{severity="warn"\} 1$/m);

  await runWell(['incidents', 'contain', 'INC-0001', '--comment', 'blocked at the firewall', '--socket', site.relay.socket]);
  await eventually('the second notice', () => hook.received.length === 2);
  await site.relay.end('SIGKILL');
  await site.relay.start();
  const shown = JSON.parse(await runWell(['incidents', 'show', '1', '--json', '--socket', site.relay.socket])) as IncidentRecord;
  assert.equal(shown.incident.state, 'contained');
  assert.ok(shown.timeline.some(({ text }) => text === 'blocked at the firewall'));
  const audit = await runWell(['audit', 'list', '--action', 'incident', '--json', '--socket', site.relay.socket]);
  assert.match(audit, /contained: blocked at the firewall/);
  assert.ok(!(await readFile(join(site.relay.dataFolder, 'incidents.sqlite'))).includes('a-long-secret') && !site.relay.log().includes('a-long-secret'));
});

test('what a full cache drops is an incident for each workspace and kind of data, beside the loss ledger', async () => {
  await using site = await startSite({
    sections: { retry: { every: '500ms', window: '1h' } },
    cache: { limit: '64KiB', segmentSize: '64KiB', groupSize: '4KiB' },
  });
  const [machine] = await site.machines(1);
  await site.upstream().local.setFault({ mode: 'down' });
  const send = async (DataType: string): Promise<number> => {
    const DataItems = [{ noise: randomBytes(6_000).toString('base64') }];
    const body = deflateSync(JSON.stringify({ DataType, IPName: 'LogManagement', DataItems }));
    return (await machine?.post(UPLOAD_PATH, UPLOAD_HEADERS, body))?.status ?? 0;
  };
  for (let count = 0; count < 4; count += 1) assert.equal(await send('LINUX_PERF_BLOB'), 200);
  const lost = await eventually('a loss', async () => {
    await send('LINUX_NAGIOSALERTS_BLOB');
    const found = JSON.parse(await runWell(['incidents', 'list', '--kind', 'data-lost', '--json', '--socket', site.relay.socket])) as Incident[];
    return found.length > 0 && found;
  });
  assert.deepEqual(
    lost.map(({ source, subject, severity }) => [source, subject, severity]),
    [[`workspace ${BANK}`, 'Performance', 'error']],
  );
  const ledger = JSON.parse(await runWell(['losses', 'list', '--json', '--socket', site.relay.socket])) as { readonly batches: number }[];
  assert.equal(lost[0]?.count, ledger[0]?.batches);
});

test('a relay whose record of incidents cannot be used says so, and takes data and incidents all the same', async () => {
  const prepare = async (place: string): Promise<void> => void (await mkdir(join(place, 'data', 'incidents.sqlite'), { recursive: true }));
  await using site = await startSite({ sections: { incidents: { thresholds: { certificatesRefused: 1 } } }, prepare });
  const { intakePort } = await site.relay.status();
  assert.match(site.relay.log(), /until the next start incidents are kept in memory alone/);
  assert.equal(await upload(intakePort, await createAgentIdentity(BANK, STRANGER, Date.now(), 90)), 403);
  await eventually('an incident', async () => (await runWell(['incidents', 'list', '--socket', site.relay.socket])).includes('INC-0001'));
});
