/** The disk full and read-only under a whole relay. Each on a small file system of its own. */
import { execFileSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder } from '../../../src/files.ts';
import { eventually } from '../../support/eventually.ts';
import { type Fleet, startFleet } from '../../support/fleet.ts';
import { createOracle, type Oracle } from '../../support/oracle.ts';
import { type Site, startSite } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import type { Fault, Figures, Trial } from '../fault.ts';

/** The relay keeps 64 MiB in reserve: this much more it may use. */
const DISK_MIB = 100;
const CACHE = { limit: '20MiB', segmentSize: '64KiB', groupSize: '4KiB' };
const PIECE = Buffer.alloc(1024 * 1024);

/** Calls `mount` or another program of the system; throws what it said. */
function system(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

async function mountMemory(folder: string): Promise<void> {
  await makePrivateFolder(folder);
  system('mount', '-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=700`, 'tmpfs', folder);
}

/** Writes until not one byte more fits. */
async function fillUp(file: string): Promise<void> {
  for (const length of [PIECE.length, 4_096, 1]) {
    try {
      for (;;) await writeFile(file, PIECE.subarray(0, length), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}

interface Running {
  readonly site: Site;
  readonly oracle: Oracle;
  readonly fleet: Fleet;
  readonly ballast: string;
}

async function onSmallDisk(work: (running: Running) => Promise<Figures>): Promise<Figures> {
  const site = await startSite({ cache: CACHE, prepare: mountMemory });
  const { folder } = site.relay;
  try {
    const oracle = createOracle();
    await using fleet = startFleet({ machines: await site.machines(4), oracle });
    return await work({ site, oracle, fleet, ballast: join(folder, 'ballast') });
  } finally {
    await site.relay.end('SIGKILL');
    system('umount', folder);
    await site[Symbol.asyncDispose]();
  }
}

async function more(oracle: Oracle, batches: number): Promise<void> {
  const until = oracle.count() + batches;
  await eventually('batches are taken', () => oracle.count() >= until, 60_000);
}

function fullWhileWriting({ quick }: Trial): Promise<Figures> {
  const times = quick ? 1 : 5;
  return onSmallDisk(async ({ site, oracle, fleet, ballast }) => {
    for (let time = 1; time <= times; time += 1) {
      await more(oracle, 50);
      const refused = fleet.answers(503);
      await fillUp(ballast);
      await eventually('senders are asked to come back', () => fleet.answers(503) > refused + 20);
      await rm(ballast);
      await more(oracle, 50);
    }
    await fleet.stop();
    return await closeBooks({ site, oracle, injected: times });
  });
}

function fullWhileCleaningUp({ quick }: Trial): Promise<Figures> {
  const times = quick ? 1 : 3;
  return onSmallDisk(async ({ site, oracle, fleet, ballast }) => {
    const { local } = site.upstream();
    for (let time = 1; time <= times; time += 1) {
      await local.setFault({ mode: 'down' });
      await more(oracle, 200);
      await fillUp(ballast);
      const refused = fleet.answers(503);
      await eventually('senders are asked to come back', () => fleet.answers(503) > refused + 20);
      await local.setFault({ mode: 'none' });
      const isEmpty = async (): Promise<boolean> =>
        (await site.relay.status()).cache.workspaces.every(({ groupsWaiting, groupsInFlight }) => groupsWaiting + groupsInFlight === 0);
      // What its own segments give back is taken at once, so that the disk stays full.
      await eventually('everything is delivered and deleted although the disk is full', isEmpty, 60_000);
      await rm(ballast);
      await more(oracle, 50);
    }
    await fleet.stop();
    return await closeBooks({ site, oracle, injected: times });
  });
}

/** An ext4 file system whose journal is given up, as after an error of the disk: reading goes on, nothing can be written until it is mounted again. */
async function readOnly(): Promise<Figures> {
  const image = { path: '' };
  const prepare = async (folder: string): Promise<void> => {
    image.path = `${folder}.img`;
    system('truncate', '-s', `${DISK_MIB + 20}M`, image.path);
    system('mkfs.ext4', '-q', image.path);
    await makePrivateFolder(folder);
    system('mount', '-o', 'loop', image.path, folder);
  };
  const site = await startSite({ cache: CACHE, prepare });
  const { relay } = site;
  const { local } = site.upstream();
  try {
    const oracle = createOracle();
    await using fleet = startFleet({ machines: await site.machines(4), oracle });
    await local.setFault({ mode: 'down' });
    await more(oracle, 100);
    system('mount', '-o', 'remount,abort', relay.folder);
    await eventually('senders are asked to come back', () => fleet.answers(503) > 20);
    await local.setFault({ mode: 'none' });
    // What waits can still be read, so it is delivered.
    await eventually('what waits is delivered', async () => (await relay.status()).cache.workspaces.every(({ groupsWaiting }) => groupsWaiting === 0), 60_000);
    const configuration = await readFile(relay.configFile);
    await relay.end('SIGKILL');
    system('umount', relay.folder);
    system('mount', '-o', 'loop', image.path, relay.folder);
    await writeFile(relay.configFile, configuration);
    await relay.start();
    await more(oracle, 50);
    await fleet.stop();
    return await closeBooks({ site, oracle, injected: 1 });
  } finally {
    if (relay.isRunning()) await relay.end('SIGKILL');
    system('umount', relay.folder);
    await site[Symbol.asyncDispose]();
  }
}

export const diskFaults: readonly Fault[] = [
  { name: 'disk full while writing', quick: true, mounts: true, run: fullWhileWriting },
  { name: 'disk full while cleaning up', quick: false, mounts: true, run: fullWhileCleaningUp },
  { name: 'disk read-only', quick: false, mounts: true, run: readOnly },
];
