/** Redis killed, frozen, back with nothing, with an old state, with half of its last file, and full. */
import assert from 'node:assert/strict';
import { cp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { startFleet } from '../../support/fleet.ts';
import { createOracle, type Oracle } from '../../support/oracle.ts';
import { type Site, startSite } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import { type Fault, type Figures, sumOf, type Trial } from '../fault.ts';

const MACHINES = 4;

/** Sends all the time; kills Redis, does something with its folder, starts it again. */
async function away(awayMs: number, upstream: 'none' | 'down', meanwhile: (site: Site) => Promise<void> = async () => {}): Promise<Figures> {
  await using site = await startSite();
  const { local } = site.upstream();
  await local.setFault({ mode: upstream });
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(MACHINES), oracle });
  await more(oracle, 100);
  await site.killRedis();
  const killedAt = performance.now();
  await eventually('senders are asked to come back', () => fleet.answers(503) > 0);
  await eventually('it was away long enough', () => performance.now() - killedAt >= awayMs, awayMs + 5_000);
  await meanwhile(site);
  await site.startRedis('as it was');
  await more(oracle, 100);
  await fleet.stop();
  await local.setFault({ mode: 'none' });
  return await closeBooks({ site, oracle, injected: 1 });
}

async function more(oracle: Oracle, batches: number): Promise<void> {
  const until = oracle.count() + batches;
  await eventually('batches are taken', () => oracle.count() >= until, 60_000);
}

async function killed({ quick }: Trial): Promise<Figures> {
  const figures: Figures[] = [];
  for (const seconds of quick ? [0] : [3, 20, 60]) figures.push(await away(seconds * 1_000, 'none'));
  return sumOf(figures);
}

async function frozen({ quick }: Trial): Promise<Figures> {
  const times = quick ? 1 : 5;
  await using site = await startSite();
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(MACHINES), oracle });
  for (let time = 1; time <= times; time += 1) {
    await more(oracle, 50);
    const before = fleet.answers(503);
    site.signalRedis('SIGSTOP');
    await eventually('senders are asked to come back', () => fleet.answers(503) > before);
    site.signalRedis('SIGCONT');
    await more(oracle, 50);
  }
  await fleet.stop();
  return await closeBooks({ site, oracle, injected: times });
}

async function emptied(): Promise<Figures> {
  const empty = (site: Site): Promise<void> => rm(site.redisFolder, { recursive: true, force: true });
  return sumOf([await away(0, 'none', empty), await away(0, 'down', empty)]);
}

async function older({ quick }: Trial): Promise<Figures> {
  const times = quick ? 1 : 3;
  await using site = await startSite();
  const { local } = site.upstream();
  const oracle = createOracle();
  const copy = join(site.folder, 'redis-before');
  await using fleet = startFleet({ machines: await site.machines(MACHINES), oracle });
  for (let time = 1; time <= times; time += 1) {
    await local.setFault({ mode: 'down' });
    await more(oracle, 50);
    await cp(site.redisFolder, copy, { recursive: true, filter: (source) => !source.endsWith('.sock') });
    await local.setFault({ mode: time % 2 === 0 ? 'down' : 'none' });
    await more(oracle, 100);
    await site.killRedis();
    await rm(site.redisFolder, { recursive: true, force: true });
    await cp(copy, site.redisFolder, { recursive: true });
    await rm(copy, { recursive: true });
    await site.startRedis('as it was');
    await more(oracle, 50);
  }
  await fleet.stop();
  await local.setFault({ mode: 'none' });
  return await closeBooks({ site, oracle, injected: times });
}

async function truncated({ quick, random }: Trial): Promise<Figures> {
  const figures: Figures[] = [];
  for (let time = 0; time < (quick ? 1 : 3); time += 1) {
    const cut = async ({ redisFolder }: Site): Promise<void> => {
      const folder = join(redisFolder, 'appendonlydir');
      const log = (await readdir(folder)).find((name) => name.includes('.incr.'));
      assert.ok(log, 'Redis has no append-only file');
      const { size } = await stat(join(folder, log));
      await truncate(join(folder, log), Math.floor(size * (0.3 + 0.7 * random())));
    };
    figures.push(await away(0, time % 2 === 0 ? 'down' : 'none', cut));
  }
  return sumOf(figures);
}

async function full(): Promise<Figures> {
  await using site = await startSite();
  const { local } = site.upstream();
  const oracle = createOracle();
  await local.setFault({ mode: 'down' });
  await using fleet = startFleet({ machines: await site.machines(2), oracle });
  await more(oracle, 30);
  // The limit itself, not the relay's own below it: from one moment to the next nothing can be written.
  await site.tellRedis('CONFIG SET maxmemory 1000000');
  await eventually('senders are asked to come back', () => fleet.answers(503) > 20);
  await local.setFault({ mode: 'none' });
  await site.tellRedis('CONFIG SET maxmemory 1000000000');
  await more(oracle, 30);
  await fleet.stop();
  return await closeBooks({ site, oracle, injected: 1 });
}

export const redisFaults: readonly Fault[] = [
  { name: 'Redis killed', quick: false, run: killed },
  { name: 'Redis frozen', quick: false, run: frozen },
  { name: 'Redis back empty', quick: false, run: emptied },
  { name: 'Redis back with an older state', quick: true, run: older },
  { name: 'Redis back with a truncated file', quick: true, run: truncated },
  { name: 'Redis at its memory limit', quick: true, run: full },
];
