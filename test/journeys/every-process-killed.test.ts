import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { BANK, startSite } from '../support/site.ts';

test('with the workspace away, relay and Redis killed in the middle of intake and Redis emptied, everything acknowledged arrives with the same bytes', async (t) => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  await local.setFault({ mode: 'down' });
  await using fleet = startFleet({ machines: await site.machines(4), oracle });

  await eventually('some batches are acknowledged', () => oracle.count() >= 300);
  await relay.end('SIGKILL');
  await site.killRedis();
  const acknowledged = oracle.count();
  await site.startRedis('empty');
  await relay.start();
  await eventually('more batches are acknowledged', () => oracle.count() >= acknowledged + 100);
  await fleet.stop();
  assert.equal(local.count().length, 0, 'nothing can have arrived yet');

  await local.setFault({ mode: 'none' });
  const comparison = await everythingArrives(oracle, dataFolder, BANK);
  t.diagnostic(`${oracle.count()} acknowledged; ${JSON.stringify(comparison)}`);
  assert.equal(comparison.repeated, 0);
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
});
