import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRecords, TIME_FIELDS } from '../../src/local-workspace/intake/uploaded-records.ts';
import { counterRows } from '../../src/local-workspace/shaping/counter-rows.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { createWorkspaceRows, type RowsBody, type RowsPlan } from './workspace-rows.ts';

const HOUR_MS = 3_600_000;
const FROM = Date.UTC(2026, 10, 28);
const PLAN: RowsPlan = { seed: 7, hosts: 20, rows: 30_050, rowsPerBody: 100, from: FROM, to: FROM + 6 * HOUR_MS };
const AGENT = parseAgentId('0a6e0000-0000-4000-8000-000000000001');

test('a plan gives as many rows as it says, by the local workspace’s own counting, of every data type and every host', async () => {
  const bodies = [...createWorkspaceRows(PLAN)];
  const counted = await Promise.all(bodies.map(rowsIn));
  assert.deepEqual(
    counted.map((rows) => rows.length),
    [...Array.from({ length: 300 }, () => 100), 50],
  );
  assert.equal(new Set(bodies.map(({ dataType }) => dataType)).size, 3);
  assert.equal(new Set(bodies.map(({ host }) => host)).size, PLAN.hosts);
});

test('times begin with the span, go up, and end before it does', async () => {
  const times = (await Promise.all([...createWorkspaceRows(PLAN)].map(rowsIn))).flat().map(timeOf);
  assert.equal(times[0], PLAN.from);
  assert.ok(times.every((time, at) => at === 0 || time >= (times[at - 1] as number)));
  const last = times.at(-1) as number;
  assert.ok(last < PLAN.to && last > PLAN.to - (PLAN.to - PLAN.from) / 100);
});

test('the same plan gives the same bytes, another seed gives others', () => {
  const bytes = (seed: number): Buffer => Buffer.concat([...createWorkspaceRows({ ...PLAN, rows: 2_000, seed })].map(({ json }) => json));
  assert.ok(bytes(1).equals(bytes(1)));
  assert.ok(!bytes(1).equals(bytes(2)));
});

async function rowsIn({ dataType, host, rows, json }: RowsBody): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const upload = { batchId: 'b', agentId: AGENT, senderId: AGENT, receivedAt: 0, content: { shape: 'envelope' }, encoding: 'identity', body: json } as const;
  const read = await readRecords(upload);
  assert.ok(read.ok);
  assert.equal(read.value.dataType, dataType);
  const found = (JSON.parse(json.toString()) as { DataItems: Record<string, unknown>[] }).DataItems.flatMap((item) => counterRows(item));
  assert.equal(found.length, rows);
  assert.ok(found.every((row) => (row['Host'] ?? row['Computer']) === host));
  return found;
}

function timeOf(row: Readonly<Record<string, unknown>>): number {
  const field = TIME_FIELDS.find((name) => typeof row[name] === 'string') as string;
  return Date.parse(row[field] as string);
}
