import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { LossEntry } from '../../src/cache/loss.ts';
import { ask } from '../../src/control/client.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { BATCH_ID_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import { eventually } from '../support/eventually.ts';
import { type Machine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { readArrived } from '../support/oracle.ts';
import { BANK, startSite } from '../support/site.ts';

const KILLS = 2;
const ROOM_BYTES = 64 * 1024;
/** Ten times what the relay lets pass before it writes its notes: a busy machine may be late. */
const NOTED_AFTER_MS = 2_000;
const SMALL = { limit: '256KiB', segmentSize: '64KiB', groupSize: '8KiB' };
/** Refuses before anything is kept. Where connections are cut, a batch that was kept just then is sent again, or dropped: it is in both, as it must be. */
const AWAY = { mode: 'status', status: 503 } as const;
/** Alerts are rarer, so that there is Performance data to drop for them all the time. */
const DATA_TYPES = ['LINUX_PERF_BLOB', 'LINUX_PERF_BLOB', 'LINUX_PERF_BLOB', 'LINUX_SYSLOGS_BLOB'];

interface Tally {
  readonly acknowledged: string[];
  /** Requests that reached the relay but got no answer: their batch may be kept. */
  unanswered: number;
}

async function send(machine: Machine, dataType: string, tally: Tally): Promise<void> {
  const body = deflateSync(JSON.stringify({ DataType: dataType, IPName: 'LogManagement', DataItems: [{ noise: randomBytes(1_000).toString('hex') }] }));
  try {
    const { status, headers } = await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, body);
    if (status === 200) tally.acknowledged.push(String(headers[BATCH_ID_HEADER]));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') tally.unanswered += 1;
  }
}

test('a relay that is killed while its full cache drops has every batch in the workspace or in the ledger', async (t) => {
  await using site = await startSite({ sections: { retry: { every: '500ms', window: '1h' } }, cache: SMALL });
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const machines = await site.machines(4);
  const tally: Tally = { acknowledged: [], unanswered: 0 };
  let sending = true;
  let paused = false;
  await local.setFault(AWAY);
  const senders = machines.map(async (machine) => {
    for (let number = 0; sending; number += 1) {
      if (!paused) await send(machine, DATA_TYPES[number % DATA_TYPES.length] ?? '', tally);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });
  const stopSending = async (): Promise<void> => {
    sending = false;
    await Promise.all(senders);
  };
  await using sendersEnd = new AsyncDisposableStack();
  sendersEnd.defer(stopSending);
  const isMachine = (agentId: string): boolean => machines.some((machine) => machine.agentId === agentId);
  const ledger = (): Promise<LossEntry[]> => ask<LossEntry[]>(relay.socket, 'GET', '/losses');
  const lost = async (): Promise<number> => (await ledger()).reduce((sum, { batches }) => sum + batches, 0);

  for (let kill = 1; kill <= KILLS; kill += 1) {
    const before = await lost();
    await eventually('some batches are kept', () => tally.acknowledged.length > kill * 50);
    // Who drains faster, the relay or its senders, would depend on the machine.
    paused = true;
    await local.setFault({ mode: 'none' });
    await eventually('there is room again', async () => (await relay.status()).cache.usedBytes < ROOM_BYTES);
    await local.setFault(AWAY);
    paused = false;
    const awayAt = performance.now();
    // What was delivered in the last moment before a kill is not noted yet: it would come back, and could be dropped as well.
    await eventually('it drops, and what was delivered is noted', async () => (await lost()) > before && performance.now() - awayAt > NOTED_AFTER_MS);
    await relay.end('SIGKILL');
    await relay.start();
  }
  await stopSending();
  await local.setFault({ mode: 'none' });
  await eventually('all is delivered and told', async () => {
    const { balance = [] } = (await relay.status()).cache.workspaces[0] ?? {};
    return balance.every(({ cached }) => cached.batches === 0) && (await ledger()).every(({ reported }) => reported);
  });

  const arrived = new Set(readArrived(dataFolder, BANK).map(({ batchId }) => batchId));
  const missing = tally.acknowledged.filter((id) => !arrived.has(id)).length;
  const dropped = await lost();
  const acknowledged = new Set(tally.acknowledged);
  const unacknowledged = readArrived(dataFolder, BANK).filter(
    ({ batchId, repeated, agentId }) => !repeated && !acknowledged.has(batchId) && isMachine(agentId),
  ).length;
  t.diagnostic(
    `${tally.acknowledged.length} acknowledged, ${missing} of them not in the workspace; ${dropped} in the ledger; ${tally.unanswered} unanswered, ${unacknowledged} of them in the workspace`,
  );
  assert.ok(missing <= dropped, 'what is not in the workspace is in the ledger');
  assert.ok(dropped <= missing + tally.unanswered - unacknowledged, 'the ledger has nothing that is in the workspace');
  const told = await local.query(BANK, { dataType: 'OPERATION_BLOB', limit: 1_000 });
  assert.equal(new Set(told.map(({ contentHash }) => contentHash)).size, (await ledger()).length);
});
