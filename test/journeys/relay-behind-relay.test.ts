import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { eventually } from '../support/eventually.ts';
import { enrolMachine, startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { relayProcess } from '../support/relay-process.ts';
import { BANK, startSite } from '../support/site.ts';

test('a relay sends by way of another relay: all that the inner one acknowledged arrives, also when the outer one is killed in between', async (t) => {
  await using outer = await startSite();
  const folder = join(outer.folder, 'inner');
  const sharedKeyFile = join(outer.folder, 'outer.key');
  await writeFile(sharedKeyFile, await outer.relay.createKey(BANK, 'inner-relay'), { mode: 0o600 });
  await using redis = await redisIn(join(outer.folder, 'inner-redis'));
  const endpoint = `https://localhost:${outer.relay.port()}`;
  await using inner = await relayProcess(folder, {
    cache: { redis: { socket: redis.socket } },
    workspaces: [{ id: BANK, endpoint, sharedKeyFile, trustFile: outer.relay.rootFile }],
  });
  await inner.start();
  const oracle = createOracle();
  const target = { port: inner.port(), rootPem: await readFile(inner.rootFile, 'utf8') };
  const key = await inner.createKey(BANK, 'machines');
  const machines = [await enrolMachine(target, BANK, key), await enrolMachine(target, BANK, key)];
  await using fleet = startFleet({ machines, oracle });

  const { local, dataFolder } = outer.upstream();
  await eventually('data arrives through both', () => local.batchIds(BANK).length >= 20);
  await outer.relay.end('SIGKILL');
  const acknowledged = oracle.count();
  await eventually('the inner relay goes on taking', () => oracle.count() >= acknowledged + 50);
  await outer.relay.start();
  await fleet.stop();
  const comparison = await everythingArrives(oracle, dataFolder, BANK);
  t.diagnostic(`${oracle.count()} acknowledged; ${JSON.stringify(comparison)}`);
  for (const machine of machines) machine.close();
  assert.equal((await inner.end('SIGTERM')).code, 0);
});

async function redisIn(folder: string): Promise<AsyncDisposable & { readonly socket: string }> {
  const { socket, stop } = await startRedisServer(folder);
  return { socket, [Symbol.asyncDispose]: () => stop('SIGKILL') };
}
