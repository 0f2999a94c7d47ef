/** Power cuts under the whole relay: its keys, its database, its certificates and its cache, from the first moment of its first start on. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from '../../../src/control/client.ts';
import type { Agent } from '../../../src/management-group/agent.ts';
import { openKeyRing } from '../../../src/workspace/key-ring.ts';
import type { AgentId } from '../../../src/workspace/workspace-id.ts';
import { eventually } from '../../support/eventually.ts';
import { startFleet } from '../../support/fleet.ts';
import { createOracle, type Oracle, readArrived } from '../../support/oracle.ts';
import { relayProcess } from '../../support/relay-process.ts';
import { BANK, type Site, startSite } from '../../support/site.ts';
import { type Fault, type Figures, NO_FIGURES, sumOf, type Trial } from '../fault.ts';
import { cutPower, writeSurvivors } from '../power-cut/disk-model.ts';
import { type Operation, readTrace, tracing } from '../power-cut/trace.ts';
import { traceIsComplete } from '../power-cut/traced.ts';
import { readKept } from './power-cut.ts';

/** Small, so that segments are begun, closed and deleted many times. */
const CACHE = { segmentSize: '64KiB', groupSize: '4KiB' };

interface Recorded {
  readonly site: Site;
  readonly oracle: Oracle;
  readonly operations: readonly Operation[];
  /** Machines that were enrolled, and when surely. */
  readonly enrolled: readonly { readonly agentId: AgentId; readonly at: number }[];
}

async function record(site: Site, traceFile: string, batches: number): Promise<Recorded> {
  const { relay } = site;
  const { pid } = await relay.status();
  const { local } = site.upstream();
  const oracle = createOracle();
  const machines = await site.machines(6);
  const enrolledAt = Date.now() + 1;
  const fleet = startFleet({ machines, oracle });
  for (const mode of ['none', 'down', 'none', 'error', 'none'] as const) {
    await local.setFault({ mode });
    const until = oracle.count() + batches / 5;
    await eventually('batches are acknowledged', () => oracle.count() >= until, 60_000);
  }
  await local.setFault({ mode: 'down' });
  const until = oracle.count() + 20;
  await eventually('some wait', () => oracle.count() >= until);
  await relay.end('SIGKILL');
  await fleet.stop();
  await traceIsComplete(traceFile, pid);
  return { site, oracle, operations: await readTrace(traceFile, relay.dataFolder), enrolled: machines.map(({ agentId }) => ({ agentId, at: enrolledAt })) };
}

/** Looks at what a cut left by opening its cache. */
async function openAfterCut({ site, oracle, operations }: Recorded, cutAt: number, random: () => number): Promise<Figures> {
  const data = join(site.folder, 'after-cut');
  await rm(data, { recursive: true, force: true });
  await writeSurvivors(cutPower(operations, site.relay.dataFolder, cutAt, random), data);
  const owed = oracle.acknowledgedBy(BANK, cutAt);
  if (owed.length === 0) return { ...NO_FIGURES, injected: 1 };
  const kept = await readKept(join(data, 'cache', 'segments'), openKeyRing(await readFile(join(data, 'keys', 'cache.json'), 'utf8')));
  const delivered = new Set(arrivedBy(site, cutAt).map(({ batchId }) => batchId));
  const lost = owed.filter(({ batchId, sha256 }) => !delivered.has(batchId) && kept.get(batchId) !== sha256).length;
  const duplicated = owed.filter(({ batchId }) => delivered.has(batchId) && kept.has(batchId)).length;
  return { ...NO_FIGURES, injected: 1, acknowledged: owed.length, delivered: delivered.size, duplicated, lost };
}

/** Starts a relay on what a cut left, with or without the index, and waits until all that is owed has come. */
async function startAfterCut({ site, oracle, operations, enrolled }: Recorded, cutAt: number, random: () => number): Promise<Figures> {
  const folder = join(site.folder, 'again');
  await rm(folder, { recursive: true, force: true });
  await writeSurvivors(cutPower(operations, site.relay.dataFolder, cutAt, random), join(folder, 'data'));
  if (random() < 0.5) await site.tellRedis('FLUSHALL');
  const { dataFolder, option } = site.upstream();
  const before = readArrived(dataFolder, BANK).length;
  await using relay = await relayProcess(folder, { cache: { ...CACHE, redis: { socket: site.redisSocket } }, workspaces: [option] });
  await relay.start();
  const owed = oracle.acknowledgedBy(BANK, cutAt);
  const by = arrivedBy(site, cutAt).map(({ batchId }) => batchId);
  const lost = (): number => {
    const there = new Set([
      ...by,
      ...readArrived(dataFolder, BANK)
        .slice(before)
        .map(({ batchId }) => batchId),
    ]);
    return owed.filter(({ batchId }) => !there.has(batchId)).length;
  };
  await eventually('everything acknowledged before the cut arrives', () => lost() === 0).catch(() => {});
  const agents = await ask<readonly Agent[]>(relay.socket, 'GET', '/agents');
  for (const { agentId, at } of enrolled)
    assert.ok(at > cutAt || agents.some((agent) => agent.agentId === agentId), `machine ${agentId} is no longer enrolled`);
  const again = readArrived(dataFolder, BANK).length - before;
  return { ...NO_FIGURES, injected: 1, acknowledged: owed.length, delivered: again, lost: lost() };
}

function arrivedBy({ upstream }: Site, at: number): ReturnType<typeof readArrived> {
  return readArrived(upstream().dataFolder, BANK).filter(({ receivedAt = 0 }) => receivedAt <= at);
}

async function cutTheRelay({ quick, random }: Trial): Promise<Figures> {
  const traceIn = (folder: string): string => join(folder, 'trace');
  await using site = await startSite({ cache: CACHE, launcher: (folder) => tracing(traceIn(folder)) });
  const recorded = await record(site, traceIn(site.folder), quick ? 250 : 2_000);
  const changes = recorded.operations.filter(({ kind }) => kind !== 'say');
  const moment = (): number => {
    const at = changes[Math.floor(random() * changes.length)];
    assert.ok(at, 'the trace is empty');
    return random() < 0.5 ? at.beganAt : at.endedAt;
  };
  const figures: Figures[] = [];
  for (let cut = 0; cut < (quick ? 20 : 300); cut += 1) figures.push(await openAfterCut(recorded, moment(), random));
  await site.upstream().local.setFault({ mode: 'none' });
  for (let cut = 0; cut < (quick ? 2 : 25); cut += 1) figures.push(await startAfterCut(recorded, moment(), random));
  // The first start makes keys, certificates and the database: half of any of them must not stop the next one.
  const first = changes.slice(
    0,
    changes.findIndex((operation) => 'path' in operation && operation.path.endsWith('.segment')),
  );
  for (let cut = 0; cut < (quick ? 2 : 25); cut += 1) {
    const at = first[Math.floor(random() * first.length)];
    if (at) figures.push(await startAfterCut(recorded, at.endedAt, random));
  }
  return sumOf(figures);
}

export const relayPowerCuts: readonly Fault[] = [{ name: 'power cut: whole relay', quick: true, run: cutTheRelay }];
