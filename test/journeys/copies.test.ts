import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { type BatchId, copyId } from '../../src/batch/batch-id.ts';
import { unaccounted } from '../../src/cache/balance.ts';
import type { WorkspaceStats } from '../../src/cache/cache.ts';
import type { LossEntry } from '../../src/cache/loss.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { BATCH_ID_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { type Machine, startFleet, UPLOAD_HEADERS } from '../support/fleet.ts';
import { createOracle, everythingArrives, type Oracle, readArrived } from '../support/oracle.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, PLANT, type Site, startSite } from '../support/site.ts';

const copyTo = (workspaceId: WorkspaceId): WorkspaceId[] => (workspaceId === BANK ? [PLANT] : []);

/** An oracle that is owed a copy in the plant of all that the bank is owed. */
function withCopies(oracle: Oracle): Oracle {
  return {
    ...oracle,
    offered(workspaceId, sha256) {
      for (const id of [workspaceId, PLANT]) oracle.offered(id, sha256);
    },
    acknowledged(batch) {
      oracle.acknowledged(batch);
      oracle.acknowledged({ ...batch, workspaceId: PLANT, batchId: copyId(batch.batchId as BatchId, PLANT) });
    },
  };
}

async function statsOf({ relay }: Site, workspaceId: WorkspaceId): Promise<WorkspaceStats> {
  const { cache } = await relay.status();
  return cache.workspaces.find((one) => one.workspaceId === workspaceId) ?? assert.fail(`no workspace ${workspaceId}`);
}

async function booksClose(site: Site): Promise<void> {
  for (const id of [BANK, PLANT]) {
    const { balance } = await statsOf(site, id);
    for (const one of balance) assert.equal(unaccounted(one), 0, `${id} ${one.kind}`);
  }
}

/** Sends three records that do not deflate well. */
async function send(machine: Machine): Promise<string> {
  const items = [1, 2, 3].map((item) => ({ item, noise: randomBytes(1_000).toString('base64') }));
  const body = deflateSync(JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: items }));
  const { status, headers } = await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, body);
  assert.equal(status, 200, 'a copy without room refuses nobody');
  return String(headers[BATCH_ID_HEADER]);
}

test('with one of two workspaces away in turn, and the relay killed meanwhile, each batch arrives in both, the books of both are exact', async (t) => {
  await using site = await startSite({ workspaces: [BANK, PLANT], copyTo, sections: { retry: { every: '500ms', window: '1s' } } });
  const { relay } = site;
  const [bank, plant] = [site.upstream(BANK), site.upstream(PLANT)];
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(3), oracle: withCopies(oracle) });

  for (const [away, well] of [
    [bank, plant],
    [plant, bank],
  ] as const) {
    await away.local.setFault({ mode: 'down' });
    await eventually('one workspace is held', async () => (await statsOf(site, away.workspaceId)).upstream.state === 'held');
    const there = readArrived(well.dataFolder, well.workspaceId).length;
    await eventually('data of the other flows all the while', () => readArrived(well.dataFolder, well.workspaceId).length > there + 50);
    assert.equal((await statsOf(site, well.workspaceId)).upstream.state, 'awake');
    await relay.end('SIGKILL');
    await relay.start();
    const acknowledged = oracle.count(BANK);
    await eventually('more is acknowledged', () => oracle.count(BANK) > acknowledged + 50);
    await away.local.setFault({ mode: 'none' });
  }
  await fleet.stop();

  const comparisons = [await everythingArrives(oracle, bank.dataFolder, BANK), await everythingArrives(oracle, plant.dataFolder, PLANT)];
  t.diagnostic(`${oracle.count(BANK)} and ${oracle.count(PLANT)} owed; ${JSON.stringify(comparisons)}`);
  assert.equal(oracle.count(BANK), oracle.count(PLANT));
  assert.equal(fleet.answers(503), 0);
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
  await booksClose(site);
  assert.deepEqual(await runWell(['losses', 'list', '--socket', relay.socket, '--json']).then(JSON.parse), []);
  assert.match(await runWell(['status', '--socket', relay.socket]), new RegExp(`What comes for it is copied to: ${PLANT}`));
});

test('a copy that has no room refuses nobody: the workspace it was meant for is told what it did not get, its books are exact', async () => {
  const cache = { limit: '10MiB', limitPerWorkspace: '256KiB', segmentSize: '64KiB', groupSize: '4KiB' };
  await using site = await startSite({ workspaces: [BANK, PLANT], copyTo, cache, sections: { retry: { every: '500ms', window: '1h' } } });
  const { relay } = site;
  const [bank, plant] = [site.upstream(BANK), site.upstream(PLANT)];
  const [machine] = await site.machines(1);
  assert.ok(machine);
  await plant.local.setFault({ mode: 'down' });
  const listed = async (): Promise<LossEntry[]> => JSON.parse(await runWell(['losses', 'list', '--socket', relay.socket, '--json'])) as LossEntry[];

  const sent: string[] = [];
  for (let number = 1; number <= 100; number += 1) sent.push(await send(machine));
  const [entry, ...more] = await listed();
  assert.ok(entry && entry.batches > 0 && entry.batches < sent.length);
  assert.deepEqual([entry.workspaceId, entry.reason, entry.records, more], [PLANT, 'no-room-for-copy', 3 * entry.batches, []]);
  await booksClose(site);
  await eventually('its own workspace has all', () => sent.every((id) => bank.local.batchIds(BANK).includes(id)));

  await plant.local.setFault({ mode: 'none' });
  await eventually('the workspace has been told', async () => (await listed()).every(({ reported }) => reported));
  const told = async (): Promise<string[]> =>
    (await plant.local.query(PLANT, { dataType: 'OPERATION_BLOB', limit: 10 })).map(({ data }) => (data as { readonly Detail: string }).Detail);
  await eventually('the report is there', async () => (await told()).length === 1);
  assert.match((await told())[0] ?? '', new RegExp(`gave up ${entry.batches} batches .* it was a copy of data of another workspace`));
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
  const copies = new Set(sent.map((id): string => copyId(id as BatchId, PLANT)));
  assert.equal(plant.local.batchIds(PLANT).filter((id) => copies.has(id)).length, sent.length - entry.batches);
  assert.deepEqual(await bank.local.query(BANK, { dataType: 'OPERATION_BLOB', limit: 10 }), []);
  await booksClose(site);
});
