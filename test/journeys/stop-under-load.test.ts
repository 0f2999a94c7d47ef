import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { BANK, startSite } from '../support/site.ts';

test('a relay that is told to stop under load ends with 0, and the next one sends what was left and nothing twice', async (t) => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  await eventually('data flows', () => local.batchIds(BANK).length >= 100);

  const { code, out } = await relay.end('SIGTERM');
  assert.equal(code, 0, out);
  assert.match(out, /the relay has stopped/);
  assert.doesNotMatch(out, /could not be stopped cleanly/);
  const acknowledged = oracle.count();
  await relay.start();
  await eventually('data is taken again', () => oracle.count() >= acknowledged + 50);
  await fleet.stop();
  const comparison = await everythingArrives(oracle, dataFolder, BANK);
  t.diagnostic(`${oracle.count()} acknowledged; ${JSON.stringify(comparison)}`);
  assert.equal(comparison.repeated, 0);
});

test('what a slow workspace is about to answer is waited for at the stop, so that nothing is sent twice', async () => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  await eventually('data flows', () => local.batchIds(BANK).length >= 20);
  await local.setFault({ mode: 'slow', delayMs: 1_000 });
  await eventually('answers are outstanding', () => local.held() > 0);
  assert.equal((await relay.end('SIGTERM')).code, 0);
  await fleet.stop();
  await local.setFault({ mode: 'none' });
  await relay.start();
  assert.equal((await everythingArrives(oracle, dataFolder, BANK)).repeated, 0);
});

test('a second signal ends the relay at once, and nothing that was acknowledged is lost', async () => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  await using fleet = startFleet({ machines: await site.machines(4), oracle });
  await eventually('data flows', () => local.batchIds(BANK).length >= 20);
  await local.setFault({ mode: 'hang' });
  await eventually('answers are outstanding', () => local.held() > 0);
  const { pid } = await relay.status();
  const ending = relay.end('SIGTERM');
  let ended = false;
  void ending.then(() => {
    ended = true;
  });
  await eventually('it stops taking', () => fleetIsRefused(site));
  assert.equal(ended, false, 'it waits for what is in flight');
  const startedAt = performance.now();
  process.kill(pid, 'SIGTERM');
  assert.equal((await ending).code, 1);
  assert.ok(performance.now() - startedAt < 10_000, 'the deadline is twenty seconds');
  await fleet.stop();
  await local.setFault({ mode: 'none' });
  await relay.start();
  await everythingArrives(oracle, dataFolder, BANK);
});

async function fleetIsRefused(site: Awaited<ReturnType<typeof startSite>>): Promise<boolean> {
  const { port } = await site.target();
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
}

test('a relay that is told to stop while it still waits for Redis does so at once', async () => {
  await using site = await startSite({ sections: { log: { level: 'debug' } } });
  const { relay } = site;
  await relay.end('SIGTERM');
  await site.killRedis();
  const starting = relay.start();
  starting.catch(() => {});
  await eventually('it waits for Redis', () => /ECONNREFUSED|ENOENT/.test(relay.log()));
  assert.equal((await relay.end('SIGTERM')).code, 0);
  await assert.rejects(starting, /the relay did not start/);
});
