import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { ask } from '../../src/control/client.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { startAzureSite } from '../support/azure-site.ts';
import { eventually } from '../support/eventually.ts';
import { type Machine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { BANK } from '../support/site.ts';

const RECORDS_A_TYPE = 25_000;
const RECORDS_A_BATCH = 500;
const AT_ONCE = 4;
const LIMIT_BYTES = 1_048_576;
const TABLE_OF = { LINUX_SYSLOGS_BLOB: 'Syslog_CL', LINUX_PERF_BLOB: 'Perf_CL', LINUX_AUDITD_BLOB: 'LinuxAuditLog_CL', AppLog: 'AppLog_CL' };

type Source = keyof typeof TABLE_OF;

const COLUMNS = ['Number:int', 'Message:string', 'TimeGenerated:datetime', 'OriginalTime:datetime', 'RelayBatchId:string', 'RelayAgentId:string'].map(
  (column) => {
    const [name = '', type = ''] = column.split(':');
    return { name, type: type as 'int' | 'string' | 'datetime' };
  },
);
const STREAMS = Object.fromEntries(Object.values(TABLE_OF).map((table) => [`Custom-${table}`, { table, columns: COLUMNS }]));
const START_MS = Date.now() - 3_600_000;

function timeOf(number: number): string {
  return new Date(START_MS + number).toISOString();
}

async function send(machine: Machine, source: Source, from: number): Promise<void> {
  const custom = source === 'AppLog';
  const records = Array.from({ length: RECORDS_A_BATCH }, (_, at) => {
    const number = from + at;
    return { [custom ? 'When' : 'Timestamp']: timeOf(number), Number: number, Message: randomBytes(180).toString('base64') };
  });
  const path = custom ? `${UPLOAD_PATH}?api-version=2016-04-01` : UPLOAD_PATH;
  const headers = custom
    ? { 'content-type': 'application/json', 'content-encoding': 'gzip', 'log-type': 'AppLog', 'time-generated-field': 'When' }
    : UPLOAD_HEADERS;
  const body = custom ? gzipSync(JSON.stringify(records)) : deflateSync(JSON.stringify({ DataType: source, IPName: 'LogManagement', DataItems: records }));
  const { status, text } = await machine.post(path, headers, body);
  assert.equal(status, 200, text);
}

test('100,000 records of four data types go through the relay to Logs Ingestion: each once, in its table, at its time, in full requests', async (t) => {
  await using site = await startAzureSite({ streams: STREAMS });
  const { relay, upstream } = site;
  await ask(relay.socket, 'POST', '/cache/pause', { workspaceIds: [BANK], by: 'test' });
  const machines = await Promise.all(Array.from({ length: AT_ONCE }, () => site.machine()));
  const sources = Object.keys(TABLE_OF) as Source[];
  const sendAll = async (machine: Machine, source: Source): Promise<void> => {
    for (let from = 0; from < RECORDS_A_TYPE; from += RECORDS_A_BATCH) await send(machine, source, from);
  };
  await Promise.all(machines.map((machine, at) => sendAll(machine, sources[at] as Source)));
  await ask(relay.socket, 'POST', '/cache/resume', { workspaceIds: [BANK], by: 'test' });
  const rowsNow = (): number => upstream.local.tables(BANK).reduce((sum, { rows }) => sum + rows, 0);
  await eventually('all records are there', () => rowsNow() >= sources.length * RECORDS_A_TYPE);

  for (const table of Object.values(TABLE_OF)) {
    const rows = await upstream.local.rows(BANK, table);
    const numbers = new Set(rows.map((row) => Number(row['Number'])));
    assert.deepEqual([rows.length, numbers.size], [RECORDS_A_TYPE, RECORDS_A_TYPE], table);
    const wrong = rows.find((row) => Date.parse(row.TimeGenerated) !== Date.parse(timeOf(Number(row['Number']))));
    assert.equal(wrong, undefined);
    assert.ok(rows.every(({ RelayBatchId, RelayAgentId }) => RelayBatchId && RelayAgentId));
  }
  const calls = upstream.local.calls(BANK);
  const fill = calls.reduce((sum, { wireBytes }) => sum + wireBytes, 0) / calls.length / LIMIT_BYTES;
  t.diagnostic(`${rowsNow()} records in ${calls.length} requests, ${(100 * fill).toFixed(1)} % full on the average`);
  assert.ok(calls.every(({ wireBytes }) => wireBytes <= LIMIT_BYTES));
  assert.ok(fill >= 0.85, `the requests were ${(100 * fill).toFixed(1)} % full`);
  await eventually('the books are closed', async () =>
    (await relay.status()).cache.workspaces.every(({ groupsWaiting, groupsInFlight }) => groupsWaiting + groupsInFlight === 0),
  );
});

test('a body that the service takes as it is passes the relay byte for byte', async () => {
  const columns = { batchId: false, agent: false, originalTime: false };
  await using site = await startAzureSite({ streams: STREAMS, ingestion: { columns } });
  const machine = await site.machine();
  const body = gzipSync(`[ {"TimeGenerated":"${timeOf(1)}" , "Number":1, "Message":"as it was"} ]`, { level: 9 });
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'log-type': 'AppLog' };
  assert.equal((await machine.post(`${UPLOAD_PATH}?api-version=2016-04-01`, headers, body)).status, 200);
  const [call] = await eventually('it has come', () => {
    const calls = site.upstream.local.calls(BANK);
    return calls.length > 0 && calls;
  });
  assert.equal(call?.wireBytes, body.length);
  assert.equal(call?.sha256, await sha256Of(body));
});

async function sha256Of(body: Buffer): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(body))).toString('hex');
}
