import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { seeded } from '../support/seeded.ts';
import { BANK, startSite } from '../support/site.ts';

const SEED = 20_261_123;
const KILLS = 5;
const MOST_BATCHES_BETWEEN = 150;

test('a relay that is killed five times at any moment under load loses nothing that it acknowledged', async (t) => {
  await using site = await startSite();
  const { relay } = site;
  const oracle = createOracle();
  const random = seeded(SEED);
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const until = oracle.count() + 1 + Math.floor(random() * MOST_BATCHES_BETWEEN);
    await eventually('more batches are acknowledged', () => oracle.count() >= until);
    await relay.end('SIGKILL');
    await relay.start();
  }
  await fleet.stop();
  const comparison = await everythingArrives(oracle, site.upstream().dataFolder, BANK);
  t.diagnostic(`seed ${SEED}; ${oracle.count()} acknowledged; ${JSON.stringify(comparison)}`);
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
});
