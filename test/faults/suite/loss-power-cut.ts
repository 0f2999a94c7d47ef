/** Power cuts under a relay that drops and puts aside: what was acknowledged is in the workspace, in the cache, a dead letter, or in the loss ledger. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BatchId, partId } from '../../../src/batch/batch-id.ts';
import { openDeadLetters } from '../../../src/cache/dead-letters.ts';
import type { LossEntry } from '../../../src/cache/loss.ts';
import { openLossLedger } from '../../../src/cache/loss-ledger.ts';
import { ask } from '../../../src/control/client.ts';
import { silentLogger } from '../../../src/logger.ts';
import { openKeyRing } from '../../../src/workspace/key-ring.ts';
import { seededBytes } from '../../cache/batches.ts';
import { eventually } from '../../support/eventually.ts';
import { startFleet } from '../../support/fleet.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createOracle, type Oracle, readArrived } from '../../support/oracle.ts';
import { BANK, type Site, startSite } from '../../support/site.ts';
import { type Fault, type Figures, NO_FIGURES, sumOf, type Trial } from '../fault.ts';
import { cutPower, writeSurvivors } from '../power-cut/disk-model.ts';
import { type Operation, readTrace, tracing } from '../power-cut/trace.ts';
import { traceIsComplete } from '../power-cut/traced.ts';
import { readKept } from './power-cut.ts';

const CACHE = { limit: '256KiB', segmentSize: '64KiB', groupSize: '4KiB' };
/** Three machines send what is dropped first, the fourth what it is dropped for. */
const DATA_TYPES = ['LINUX_PERF_BLOB', 'LINUX_PERF_BLOB', 'LINUX_PERF_BLOB', 'LINUX_SYSLOGS_BLOB'];

/** How a batch of three records may be cut: where each part ends. */
const CUTS = [[3], [1, 3], [2, 3], [1, 2, 3]];

interface Recorded {
  readonly site: Site;
  readonly oracle: Oracle;
  readonly operations: readonly Operation[];
}

async function lostSoFar({ relay }: Site): Promise<number> {
  return batchesIn(await ask<LossEntry[]>(relay.socket, 'GET', '/losses'));
}

async function lettersSoFar({ relay }: Site): Promise<number> {
  return (await ask<unknown[]>(relay.socket, 'GET', '/dead-letters')).length;
}

async function record(site: Site, traceFile: string, rounds: number): Promise<Recorded> {
  const { relay } = site;
  const { pid } = await relay.status();
  const { local } = site.upstream();
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(4), oracle, dataTypes: DATA_TYPES });
  await eventually('the workspace knows the relay', () => local.batchIds(BANK).length > 0);
  for (let round = 0; round < rounds; round += 1) {
    const [before, letters, acknowledged] = [await lostSoFar(site), await lettersSoFar(site), oracle.count()];
    await local.setFault({ mode: 'down' });
    await eventually('it drops', async () => (await lostSoFar(site)) > before + 10);
    await local.setFault({ mode: 'status', status: 413 });
    await eventually('some are put aside', async () => (await lettersSoFar(site)) > letters);
    await local.setFault({ mode: 'none' });
    await eventually('it goes on taking', () => oracle.count() > acknowledged + 50);
  }
  await relay.end('SIGKILL');
  await fleet.stop();
  await traceIsComplete(traceFile, pid);
  return { site, oracle, operations: await readTrace(traceFile, relay.dataFolder) };
}

/** Looks for everything that had been acknowledged at the cut in what the cut left. */
async function openAfterCut({ site, oracle, operations }: Recorded, cutAt: number, random: () => number): Promise<Figures> {
  const data = join(site.folder, 'after-cut');
  await rm(data, { recursive: true, force: true });
  await writeSurvivors(cutPower(operations, site.relay.dataFolder, cutAt, random), data);
  const owed = oracle.acknowledgedBy(BANK, cutAt);
  if (owed.length === 0) return { ...NO_FIGURES, injected: 1 };
  const keys = openKeyRing(await readFile(join(data, 'keys', 'cache.json'), 'utf8'));
  const kept = await readKept(join(data, 'cache', 'segments'), keys);
  const letters = await openDeadLetters(join(data, 'cache', 'dead-letters'), keys);
  const arrived = readArrived(site.upstream().dataFolder, BANK).filter(({ receivedAt = 0 }) => receivedAt <= cutAt);
  const delivered = new Set(arrived.map(({ batchId }) => batchId));
  const aside = new Set<string>();
  for (const { id } of await letters.list()) if (await letters.open(id)) aside.add(id);
  const has = (id: string): boolean => delivered.has(id) || aside.has(id);
  // What was refused was offered in parts: each record is in one that was delivered, or put aside.
  const inParts = (id: string): boolean => CUTS.some((cuts) => cuts.every((to, at) => has(partId(id as BatchId, cuts[at - 1] ?? 0, to))));
  const isThere = (id: string, sha256: string): boolean => has(id) || inParts(id) || kept.get(id) === sha256;
  const missing = owed.filter(({ batchId, sha256 }) => !isThere(batchId, sha256)).length;
  const dropped = await droppedIn(join(data, 'cache', 'losses'));
  return {
    ...NO_FIGURES,
    injected: 1,
    acknowledged: owed.length,
    delivered: delivered.size,
    deadLettered: aside.size,
    dropped,
    lost: Math.max(0, missing - dropped),
  };
}

async function droppedIn(folder: string): Promise<number> {
  const ledger = await openLossLedger(folder, { clock: createManualClock(), random: seededBytes(3), log: silentLogger, onLoss: () => {} });
  const dropped = batchesIn(ledger.list());
  await ledger.close();
  return dropped;
}

function batchesIn(entries: readonly LossEntry[]): number {
  return entries.reduce((sum, { batches }) => sum + batches, 0);
}

async function cutWhileDropping({ quick, random }: Trial): Promise<Figures> {
  const traceIn = (folder: string): string => join(folder, 'trace');
  await using site = await startSite({ cache: CACHE, sections: { retry: { every: '500ms', window: '1h' } }, launcher: (folder) => tracing(traceIn(folder)) });
  const recorded = await record(site, traceIn(site.folder), quick ? 1 : 6);
  const changes = recorded.operations.filter(({ kind }) => kind !== 'say');
  const figures: Figures[] = [];
  for (let cut = 0; cut < (quick ? 10 : 200); cut += 1) {
    // Much is written before the cache is full for the first time.
    const among = cut % 2 === 0 ? changes : changes.slice(-changes.length / 3);
    const at = cut === 0 ? changes.at(-1) : among[Math.floor(random() * among.length)];
    assert.ok(at, 'the trace is empty');
    figures.push(await openAfterCut(recorded, random() < 0.5 ? at.beganAt : at.endedAt, random));
  }
  const sum = sumOf(figures);
  assert.ok(sum.dropped > 0 && sum.deadLettered > 0, 'nothing was dropped, or nothing put aside: the cuts show nothing');
  return sum;
}

export const lossPowerCuts: readonly Fault[] = [{ name: 'power cut: dropping and dead letters', quick: true, run: cutWhileDropping }];
