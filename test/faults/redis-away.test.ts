import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { BANK, startSite } from '../support/site.ts';

const AWAY_MS = 3_000;

async function redisGoesAway(t: TestContext, how: 'as it was' | 'empty', upstream: 'reachable' | 'down'): Promise<void> {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  if (upstream === 'down') await local.setFault({ mode: 'down' });
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  await eventually('data flows', () => oracle.count() >= 100);

  await site.killRedis();
  const killedAt = performance.now();
  await eventually('senders are asked to come back', () => fleet.answers(503) > 20);
  for (const value of fleet.retryAfters) assert.match(value, /^[1-9]\d*$/);
  const { ready } = (await relay.status()).cache;
  assert.match(ready.ok ? '' : ready.reasons.join(), /Redis/);
  await eventually('Redis was away for three seconds', () => performance.now() - killedAt >= AWAY_MS);
  const acknowledged = oracle.count();

  await site.startRedis(how);
  await eventually('batches are taken again, by the same process', () => oracle.count() >= acknowledged + 100);
  await fleet.stop();
  await local.setFault({ mode: 'none' });
  const comparison = await everythingArrives(oracle, dataFolder, BANK);
  t.diagnostic(`${oracle.count()} acknowledged, ${fleet.answers(503)} times 503; ${JSON.stringify(comparison)}`);
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
  assert.equal((await relay.status()).cache.ready.ok, true);
}

test('Redis is killed under load and comes back: senders get 503 with Retry-After meanwhile, then all flows again without a restart', (t) =>
  redisGoesAway(t, 'as it was', 'reachable'));

test('Redis is killed under load and comes back empty: the relay fills it again from its disk and loses nothing', (t) => redisGoesAway(t, 'empty', 'down'));

test('Redis comes back empty while data flows upstream: nothing is lost', (t) => redisGoesAway(t, 'empty', 'reachable'));

test('a relay whose Redis is away stops when it is told to, and finds everything again', async () => {
  await using site = await startSite();
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  await local.setFault({ mode: 'down' });
  await using fleet = startFleet({ machines: await site.machines(2), oracle });
  await eventually('data is taken', () => oracle.count() >= 50);
  await site.killRedis();
  await eventually('the relay knows', () => fleet.answers(503) > 0);
  assert.equal((await site.relay.end('SIGTERM')).code, 0);
  await fleet.stop();
  await site.startRedis('as it was');
  await site.relay.start();
  await local.setFault({ mode: 'none' });
  await everythingArrives(oracle, dataFolder, BANK);
});

test('Redis freezes under load and goes on later: nothing is lost, and nothing is stuck', async (t) => {
  await using site = await startSite();
  const { relay } = site;
  const { dataFolder } = site.upstream();
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  await eventually('data flows', () => oracle.count() >= 50);
  site.signalRedis('SIGSTOP');
  await eventually('senders are asked to come back', () => fleet.answers(503) > 0);
  const acknowledged = oracle.count();
  site.signalRedis('SIGCONT');
  await eventually('batches are taken again', () => oracle.count() >= acknowledged + 50);
  await fleet.stop();
  // A group whose taking timed out is found to be lost at the second look, ten seconds after the first.
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
  t.diagnostic(`${oracle.count()} acknowledged; ${JSON.stringify(await everythingArrives(oracle, dataFolder, BANK))}`);
});
