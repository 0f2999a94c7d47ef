/** Starts and time: a bad configuration, a large backlog, and the wall clock set. */
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBatchId } from '../../../src/batch/batch-id.ts';
import { sealBatch } from '../../../src/batch/envelope.ts';
import { encodeGroup, type GroupId } from '../../../src/cache/segment-format.ts';
import { systemClock } from '../../../src/clock.ts';
import { loadConfiguration } from '../../../src/configuration/load.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createRelay } from '../../../src/relay.ts';
import { openKeyRing } from '../../../src/workspace/key-ring.ts';
import { batchOf } from '../../cache/batches.ts';
import { eventually } from '../../support/eventually.ts';
import { sendBatches } from '../../support/fleet.ts';
import { createOracle, readArrived } from '../../support/oracle.ts';
import { runCommand } from '../../support/run-relay.ts';
import { BANK, type Site, startSite } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import { type Fault, type Figures, NO_FIGURES, type Trial } from '../fault.ts';
import { processSize } from '../process-size.ts';
import { readKept } from './power-cut.ts';

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;
const READY_MS = 60_000;
const MOST_MEMORY_BYTES = 1_500 * MIB;
const STOP_MS = 10_000;

async function badConfiguration(): Promise<Figures> {
  await using site = await startSite();
  const { relay } = site;
  const { local } = site.upstream();
  const oracle = createOracle();
  await local.setFault({ mode: 'down' });
  await sendBatches(await site.machines(2), oracle, 10);
  await relay.end('SIGKILL');
  const segments = join(relay.dataFolder, 'cache', 'segments');
  const keys = openKeyRing(await readFile(join(relay.dataFolder, 'keys', 'cache.json'), 'utf8'));
  const good = JSON.parse(await readFile(relay.configFile, 'utf8')) as object;
  const bad = [{ workspaces: 'none' }, { retry: { every: 'soon' } }, { unknown: 1 }, { cache: { limit: 'much' } }];
  for (const mistake of bad) {
    const file = join(site.folder, 'bad.json');
    await writeFile(file, JSON.stringify({ ...good, ...mistake }));
    const { code, err } = await runCommand(['start', '--config', file]);
    assert.equal(code, 2, err);
    assert.match(err, new RegExp(Object.keys(mistake)[0] ?? ''), 'it names the mistake');
  }
  assert.equal((await readKept(segments, keys)).size, oracle.count(), 'nothing was touched');
  await local.setFault({ mode: 'none' });
  await relay.start();
  return await closeBooks({ site, oracle, injected: bad.length });
}

async function writeBacklog({ relay }: Site, groups: number): Promise<void> {
  const keys = openKeyRing(await readFile(join(relay.dataFolder, 'keys', 'cache.json'), 'utf8'));
  const folder = join(relay.dataFolder, 'cache', 'segments', BANK);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const perSegment = 50_000;
  for (let from = 0; from < groups; from += perSegment) {
    const name = `Event-${createBatchId(Date.now(), randomFillSync)}`;
    const chunks: Buffer[] = [];
    for (let number = from; number < Math.min(groups, from + perSegment); number += 1) {
      const batch = batchOf(`{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{"Message":"${number}"}]}`, {
        workspaceId: BANK,
        receivedAt: Date.now(),
      });
      const sealed = sealBatch(batch, keys);
      const { id, agentId, dataType, receivedAt, body } = batch;
      const member = { id, agentId, dataType, receivedAt, bytes: body.length, sealedBytes: sealed.reduce((sum, { length }) => sum + length, 0) };
      chunks.push(encodeGroup({ id: `${name}.${number}` as GroupId, workspaceId: BANK, kind: 'Event', members: [member] }, sealed), ...sealed);
    }
    await using file = await open(join(folder, `${name}.segment`), 'wx', 0o600);
    await file.writeFile(Buffer.concat(chunks));
  }
}

async function backlog({ quick }: Trial): Promise<Figures> {
  const groups = quick ? 5_000 : 200_000;
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  await relay.end('SIGKILL');
  await writeBacklog(site, groups);
  await local.setFault({ mode: 'down' });
  const { pid } = await relay.start(READY_MS);
  const machines = await site.machines(1);
  const oracle = createOracle();
  await sendBatches(machines, oracle, 5);
  await local.setFault({ mode: 'none' });
  await eventually('the backlog drains', () => local.batchIds(BANK).length >= 1_000, 60_000);
  const { mostMemoryBytes } = await processSize(pid);
  assert.ok(mostMemoryBytes < MOST_MEMORY_BYTES, `the relay took ${mostMemoryBytes} bytes`);
  await relay.end('SIGTERM');
  const keys = openKeyRing(await readFile(join(relay.dataFolder, 'keys', 'cache.json'), 'utf8'));
  const kept = await readKept(join(relay.dataFolder, 'cache', 'segments'), keys);
  const arrived = readArrived(dataFolder, BANK);
  const delivered = new Set(arrived.map(({ batchId }) => batchId));
  const owed = groups + oracle.count();
  const lost = owed - new Set([...kept.keys(), ...delivered]).size;
  return { ...NO_FIGURES, injected: 1, acknowledged: owed, delivered: delivered.size, duplicated: arrived.length - delivered.size, lost };
}

/** The relay within this process, on a clock that is moved while data waits and while it flows. */
async function clockIsSet({ quick }: Trial): Promise<Figures> {
  await using site = await startSite();
  const { local } = site.upstream();
  const machines = await site.machines(2);
  const oracle = createOracle();
  const configuration = await loadConfiguration({ file: site.relay.configFile, env: {} });
  await site.relay.end('SIGTERM');
  let shiftMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + shiftMs };
  const port = site.relay.port();
  const relay = createRelay(
    { ...configuration, intake: { ...configuration.intake, port } },
    { clock, random: randomFillSync, log: silentLogger, version: 'test', credentialsFolder: undefined },
  );
  await relay.start();
  await sendBatches(machines, oracle, 5);
  // Nobody is registered whose clock is wrong: with what was begun before, work goes on.
  await eventually('it is registered upstream', () => local.batchIds(BANK).length >= oracle.count());
  // Forward, and back again. Not before the start: the machines' certificates are new, and would not be good yet.
  const shifts = (quick ? [1, 0] : [1, 0, 1, 0, 1, 0]).map((hours) => hours * HOUR_MS);
  try {
    for (const shift of shifts) {
      await local.setFault({ mode: 'down' });
      await sendBatches(machines, oracle, 5);
      shiftMs = shift;
      await sendBatches(machines, oracle, 5);
      await local.setFault({ mode: 'none' });
      await eventually('everything arrives', () => local.batchIds(BANK).length >= oracle.count()).catch((error: unknown) => {
        throw new Error(`${local.batchIds(BANK).length} of ${oracle.count()} arrived: ${JSON.stringify(relay.status().cache)}`, { cause: error });
      });
    }
  } finally {
    await relay.stop(STOP_MS);
  }
  await site.relay.start();
  return await closeBooks({ site, oracle, injected: shifts.length });
}

export const lifeFaults: readonly Fault[] = [
  { name: 'start with a bad configuration', quick: true, run: badConfiguration },
  { name: 'start with a backlog', quick: false, run: backlog },
  { name: 'clock set by an hour', quick: false, run: clockIsSet },
];
