import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { BANK, startSite } from '../support/site.ts';

const SMALL = { limit: '256KiB', segmentSize: '64KiB', groupSize: '4KiB' };
/** Of Redis's maxmemory of 1 GiB, more than the relay lets it use. */
const BALLAST_BYTES = 500_000_000;

test('a full cache refuses with 503 and Retry-After, keeps what it acknowledged, and takes again once there is room', async (t) => {
  await using site = await startSite({ sections: { retry: { every: '500ms', window: '1h' } }, cache: SMALL });
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  await local.setFault({ mode: 'down' });
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  await eventually('the cache is full', () => fleet.answers(503) > 20);
  const acknowledged = oracle.count();
  const { usedBytes, limitBytes } = (await relay.status()).cache;
  assert.ok(usedBytes <= limitBytes, `${usedBytes} of ${limitBytes} bytes`);

  await local.setFault({ mode: 'none' });
  await eventually('batches are taken again', () => oracle.count() > acknowledged + 50);
  await fleet.stop();
  const comparison = await everythingArrives(oracle, dataFolder, BANK);
  t.diagnostic(`${acknowledged} fit, ${oracle.count()} acknowledged; ${JSON.stringify(comparison)}`);
});

test('a Redis that is almost full makes the relay refuse and say so, while what waits goes on upstream', async () => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  await local.setFault({ mode: 'down' });
  await using fleet = startFleet({ machines: await site.machines(2), oracle });
  await eventually('data is taken', () => oracle.count() >= 30);
  assert.equal(await site.tellRedis('CONFIG SET maxmemory 600000000'), '+OK');
  await site.tellRedis(`SETRANGE ballast ${BALLAST_BYTES} x`);

  await eventually('senders are asked to come back', () => fleet.answers(503) > 0);
  const { ready } = (await relay.status()).cache;
  assert.match(ready.ok ? '' : ready.reasons.join(), /maxmemory/);
  const acknowledged = oracle.count();
  await local.setFault({ mode: 'none' });
  await eventually('what waits is delivered', () => local.batchIds(BANK).length >= acknowledged);

  await site.tellRedis('DEL ballast');
  await eventually('batches are taken again', () => oracle.count() > acknowledged);
  await fleet.stop();
  await everythingArrives(oracle, dataFolder, BANK);
});
