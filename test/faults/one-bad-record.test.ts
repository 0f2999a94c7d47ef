import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { DeadLetter } from '../../src/cache/dead-letters.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { eventually } from '../support/eventually.ts';
import { UPLOAD_HEADERS } from '../support/fleet.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

const RECORDS = 10_000;
const BAD = [17, 4_711, 9_999];
const MAX_REQUESTS = 60;

function bodyOf(numbers: readonly number[]): Buffer {
  const items = numbers.map((number) => ({ Host: 'web01', Message: `record ${number}`, ...(BAD.includes(number) ? { Port: 'POISON' } : {}) }));
  return deflateSync(JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: items }));
}

/** The numbers of the records that a workspace has, each as often as it came. */
async function readNumbers(site: Site): Promise<number[]> {
  const records = await site.upstream().local.query(BANK, { limit: 2 * RECORDS });
  return records.map(({ data }) => Number((data as { Message: string }).Message.slice('record '.length))).sort((a, b) => a - b);
}

async function counter(site: Site, name: string): Promise<number> {
  const { metricsPort } = await site.relay.status();
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

async function deadLetters({ relay }: Site, ...command: string[]): Promise<string> {
  return await runWell(['dead-letters', ...command, '--socket', relay.socket]);
}

async function isSettled({ relay }: Site): Promise<boolean> {
  const [workspace] = (await relay.status()).cache.workspaces;
  return workspace !== undefined && workspace.groupsWaiting + workspace.groupsInFlight === 0;
}

const everyNumber = Array.from({ length: RECORDS }, (_, at) => at);

test('of 10 000 records 3 that are refused become dead letters, the others arrive once each; sent again to a healed workspace, all have arrived', async (t) => {
  await using site = await startSite();
  const { local } = site.upstream();
  const [machine] = await site.machines(1);
  assert.ok(machine);
  await local.setFault({ mode: 'poison', marker: 'POISON' });
  assert.equal((await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, bodyOf(everyNumber))).status, 200);
  await eventually('the batch is dealt with', () => isSettled(site));

  assert.deepEqual(
    await readNumbers(site),
    everyNumber.filter((number) => !BAD.includes(number)),
  );
  const letters = JSON.parse(await deadLetters(site, 'list', '--json')) as DeadLetter[];
  assert.deepEqual(
    letters.map(({ status, records, agentId, reason }) => ({ status, records, agentId, reason })),
    BAD.map(() => ({ status: 400, records: 1, agentId: machine.agentId, reason: 'refused' })),
  );
  assert.match(letters[0]?.answer ?? '', /A record holds/);
  const parts = await counter(site, 'relay_upstream_parts_total');
  t.diagnostic(`${parts + 1} requests for ${RECORDS} records, ${BAD.length} of them bad`);
  assert.ok(parts + 1 <= MAX_REQUESTS, `${parts + 1} requests`);
  assert.equal(await counter(site, 'relay_dead_letter_records_total'), 3);
  const exported = await deadLetters(site, 'export', '--all');
  assert.deepEqual(
    exported
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { DataItems: { Message: string }[] }).DataItems.map(({ Message }) => Message)),
    BAD.map((number) => [`record ${number}`]),
  );

  await deadLetters(site, 'replay', '--all');
  await eventually('they are refused once more', async () => (await isSettled(site)) && (await counter(site, 'relay_dead_letter_records_total')) === 6);
  assert.equal((JSON.parse(await deadLetters(site, 'list', '--json')) as unknown[]).length, 3, 'what is refused again is a dead letter again');

  await local.setFault({ mode: 'none' });
  assert.match(await deadLetters(site, 'replay', '--all', '--data-type', 'LINUX_SYSLOGS_BLOB'), /^3 of 3 dead letters were sent again\.$/m);
  await eventually('the rest has arrived', async () => (await readNumbers(site)).length === RECORDS);
  assert.deepEqual(await readNumbers(site), everyNumber);
  assert.equal(await deadLetters(site, 'list'), 'No dead letters.\n');
  await eventually('the books are closed', () => isSettled(site));
  const [workspace] = (await site.relay.status()).cache.workspaces;
  for (const { recovered, received, delivered, cached, deadLettered, dropped } of workspace?.balance ?? []) {
    for (const unit of ['batches', 'bytes'] as const)
      assert.equal(recovered[unit] + received[unit], delivered[unit] + cached[unit] + deadLettered[unit] + dropped[unit], unit);
  }
});

test('a relay that is killed while it splits loses nothing', async () => {
  await using site = await startSite();
  const { local } = site.upstream();
  const [machine] = await site.machines(1);
  assert.ok(machine);
  await local.setFault({ mode: 'poison', marker: 'POISON' });
  assert.equal((await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, bodyOf(everyNumber))).status, 200);
  await eventually('a part has arrived', () => local.batchIds(BANK).length > 0);
  await site.relay.end('SIGKILL');
  await site.relay.start();
  await eventually('the batch is dealt with', () => isSettled(site));
  assert.deepEqual([...new Set(await readNumbers(site))].length, RECORDS - BAD.length);
  assert.equal((JSON.parse(await deadLetters(site, 'list', '--json')) as unknown[]).length, BAD.length);
});
