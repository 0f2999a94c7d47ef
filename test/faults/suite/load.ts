/** Too much, all at once, or made to hurt: one workspace flooded, every agent back in the same second, hostile bodies and headers. */
import assert from 'node:assert/strict';
import { constants, deflateSync, gzipSync } from 'node:zlib';
import { UPLOAD_PATH } from '../../../src/oms-protocol/paths.ts';
import { eventually } from '../../support/eventually.ts';
import { type Machine, sendBatches, startFleet, UPLOAD_HEADERS } from '../../support/fleet.ts';
import { createOracle } from '../../support/oracle.ts';
import { BANK, PLANT, startSite } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import type { Fault, Figures, Trial } from '../fault.ts';
import { processSize } from '../process-size.ts';

const MIB = 1024 * 1024;
const MOST_GROWTH_BYTES = 400 * MIB;
const FLOOD = 100;

/** One workspace gets a hundred times what the other gets, and cannot be reached either; the other's data arrives as it comes. */
async function flooded({ quick }: Trial): Promise<Figures> {
  await using site = await startSite({ workspaces: [BANK, PLANT] });
  const oracle = createOracle();
  const [calm] = await site.machines(1, PLANT);
  assert.ok(calm);
  const many = await site.machines(quick ? 5 : 20, BANK);
  await site.upstream(BANK).local.setFault({ mode: 'hang' });
  await using flood = startFleet({ machines: many, oracle });
  for (let batch = 1; batch <= (quick ? 5 : 30); batch += 1) {
    const due = oracle.count(BANK) + FLOOD;
    await sendBatches([calm], oracle, 1);
    await eventually('it arrives while the other waits', () => site.upstream(PLANT).local.batchIds(PLANT).length === batch);
    await eventually('the flood goes on', () => oracle.count(BANK) >= due, 60_000);
  }
  assert.equal(site.upstream(BANK).local.batchIds(BANK).length, 0);
  await flood.stop();
  await site.upstream(BANK).local.setFault({ mode: 'none' });
  return await closeBooks({ site, oracle, injected: 1 });
}

async function allReconnect({ quick }: Trial): Promise<Figures> {
  await using site = await startSite();
  const oracle = createOracle();
  const machines: Machine[] = [];
  for (let group = 0; group < (quick ? 1 : 6); group += 1) machines.push(...(await site.machines(50)));
  const times = quick ? 1 : 3;
  for (let time = 1; time <= times; time += 1) {
    const due = oracle.count() + machines.length * 2;
    await using fleet = startFleet({ machines, oracle, batches: 2 });
    await site.relay.end('SIGKILL');
    await site.relay.start();
    await eventually('every machine is served', () => oracle.count() >= due, 60_000);
    await fleet.stop();
  }
  return await closeBooks({ site, oracle, injected: times });
}

/** What no honest agent sends. Each must be answered, with anything but 200 or 500, or put aside; none may cost memory that stays. */
function hostileBodies(): readonly (readonly [headers: Readonly<Record<string, string>>, body: Buffer])[] {
  const bomb = deflateSync(Buffer.alloc(256 * MIB), { level: constants.Z_BEST_COMPRESSION });
  const deep = Buffer.from(`{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":${'['.repeat(2_000_000)}`);
  const plain = { 'content-type': 'application/json' };
  return [
    [UPLOAD_HEADERS, bomb],
    [{ ...plain, 'content-encoding': 'gzip' }, gzipSync(bomb)],
    [plain, Buffer.alloc(0)],
    [UPLOAD_HEADERS, Buffer.alloc(0)],
    [plain, Buffer.alloc(4 * MIB)],
    [plain, deep],
    [UPLOAD_HEADERS, deflateSync(deep)],
    [{ ...plain, ...Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`x-flood-${at}`, 'a'.repeat(20)])) }, Buffer.from('{}')],
    [{ ...plain, 'x-long': 'a'.repeat(500_000) }, Buffer.from('{}')],
  ];
}

async function hostile({ quick }: Trial): Promise<Figures> {
  await using site = await startSite();
  const oracle = createOracle();
  const machines = await site.machines(4);
  await sendBatches(machines, oracle, 20);
  const { pid } = await site.relay.status();
  const before = await processSize(pid);
  const bodies = hostileBodies();
  const rounds = quick ? 1 : 10;
  for (let round = 0; round < rounds; round += 1) {
    for (const [headers, body] of bodies) {
      await Promise.all(
        machines.map(async (machine) => {
          // A connection that is cut off is an answer too.
          const answer = await machine.post(UPLOAD_PATH, headers, body).catch(() => undefined);
          assert.ok(answer === undefined || answer.status !== 500, `a hostile body was answered with ${answer?.status}: ${answer?.text}`);
        }),
      );
    }
  }
  const { mostMemoryBytes } = await processSize(pid);
  assert.ok(mostMemoryBytes - before.memoryBytes < MOST_GROWTH_BYTES, `the relay grew from ${before.memoryBytes} to ${mostMemoryBytes} bytes`);
  await sendBatches(machines, oracle, 5);
  await eventually('what honest agents sent arrives', async () =>
    (await site.relay.status()).cache.workspaces.every(({ groupsWaiting }) => groupsWaiting === 0),
  );
  return { ...(await honestBooks(site, oracle)), injected: rounds * bodies.length * machines.length };
}

// Hostile bodies that were put aside or taken as they came are nobody's records: only the honest ones are compared.
async function honestBooks(site: Parameters<typeof closeBooks>[0]['site'], oracle: ReturnType<typeof createOracle>): Promise<Figures> {
  const { local } = site.upstream();
  const owed = oracle.acknowledgedBy(BANK, Number.POSITIVE_INFINITY);
  const missing = (): number => {
    const there = new Set(local.batchIds(BANK));
    return owed.filter(({ batchId }) => !there.has(batchId)).length;
  };
  await eventually('all honest batches arrive', () => missing() === 0).catch(() => {});
  const deadLettered = (await site.relay.status()).cache.workspaces.flatMap(({ balance }) => balance).reduce((sum, one) => sum + one.deadLettered.batches, 0);
  return { injected: 0, acknowledged: owed.length, delivered: owed.length - missing(), duplicated: 0, dropped: 0, deadLettered, lost: missing() };
}

export const loadFaults: readonly Fault[] = [
  { name: 'one workspace flooded', quick: false, run: flooded },
  { name: 'all agents reconnect at once', quick: false, run: allReconnect },
  { name: 'hostile bodies and headers', quick: false, run: hostile },
];
