/** The relay killed: at any moment under load, and again and again while the same group is on its way. */
import { eventually } from '../../support/eventually.ts';
import { sendBatches, startFleet } from '../../support/fleet.ts';
import { createOracle } from '../../support/oracle.ts';
import { startSite } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import type { Fault, Figures, Trial } from '../fault.ts';

const MOST_BATCHES_BETWEEN = 150;
/** What may come twice for each kill: what eight groups hold, and what was delivered since the notes were last written. */
const MOST_REPEATED = 1_000;

async function underLoad({ quick, random }: Trial): Promise<Figures> {
  await using site = await startSite();
  const { relay } = site;
  const oracle = createOracle();
  const kills = quick ? 5 : 30;
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  for (let kill = 1; kill <= kills; kill += 1) {
    const until = oracle.count() + 1 + Math.floor(random() * MOST_BATCHES_BETWEEN);
    await eventually('more batches are acknowledged', () => oracle.count() >= until);
    await relay.end('SIGKILL');
    await relay.start();
  }
  await fleet.stop();
  return await closeBooks({ site, oracle, injected: kills, mostDuplicated: kills * MOST_REPEATED });
}

async function sameGroupInFlight(): Promise<Figures> {
  const kills = 5;
  const batches = 3;
  await using site = await startSite();
  const { relay } = site;
  const { local } = site.upstream();
  const oracle = createOracle();
  await local.setFault({ mode: 'hang' });
  await sendBatches(await site.machines(1), oracle, batches);
  for (let kill = 1; kill <= kills; kill += 1) {
    await eventually('the group is on its way', () => local.held() > 0);
    await relay.end('SIGKILL');
    await eventually('the workspace sees that it is gone', () => local.held() === 0);
    await relay.start();
  }
  await local.setFault({ mode: 'none' });
  // What hung was read by the workspace but never stored.
  return await closeBooks({ site, oracle, injected: kills, mostDuplicated: 0 });
}

async function stoppedUnderLoad({ quick }: Trial): Promise<Figures> {
  await using site = await startSite();
  const { relay } = site;
  const oracle = createOracle();
  const stops = quick ? 2 : 10;
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  for (let stop = 1; stop <= stops; stop += 1) {
    const until = oracle.count() + 100;
    await eventually('more batches are acknowledged', () => oracle.count() >= until);
    await relay.end('SIGTERM');
    await relay.start();
  }
  await fleet.stop();
  return await closeBooks({ site, oracle, injected: stops, mostDuplicated: 0 });
}

export const kills: readonly Fault[] = [
  { name: 'kill -9 under load', quick: false, run: underLoad },
  { name: 'kill -9, the same group in flight', quick: true, run: sameGroupInFlight },
  { name: 'stop and start under load', quick: false, run: stoppedUnderLoad },
];
