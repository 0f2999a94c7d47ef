import assert from 'node:assert/strict';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../../src/control/client.ts';
import type { KeyFacts, Rotated } from '../../src/workspace/key-rotation.ts';
import { eventually } from '../support/eventually.ts';
import { sendBatches } from '../support/fleet.ts';
import { createOracle, everythingArrives, readArrived } from '../support/oracle.ts';
import { BANK, startSite } from '../support/site.ts';

test('a lost key: what it sealed stays on disk with an alarm, the relay goes on, and delivers it once the key is back', async () => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const ring = join(relay.dataFolder, 'keys', 'cache.json');
  const saved = join(relay.dataFolder, 'saved.json');
  const oracle = createOracle();
  const machines = await site.machines(2);
  await local.setFault({ mode: 'down' });
  await sendBatches(machines, oracle, 10);
  await relay.end('SIGTERM');
  await rename(ring, saved);

  await relay.start();
  const alarm = relay.log().match(/a key that sealed part of the cache is lost/g) ?? [];
  assert.equal(alarm.length, 1);
  await local.setFault({ mode: 'none' });
  await sendBatches(machines, oracle, 5);
  await eventually('what came later is delivered', () => readArrived(dataFolder, BANK).length === 10);
  const [workspace] = (await relay.status()).cache.workspaces;
  assert.deepEqual(
    workspace?.unopenable?.map(({ batches }) => batches),
    [20],
  );
  assert.equal(workspace.groupsWaiting, 0);
  const sum = (of: 'recovered' | 'cached' | 'dropped'): number => workspace.balance.reduce((total, entry) => total + entry[of].batches, 0);
  assert.deepEqual([sum('recovered'), sum('cached'), sum('dropped')], [20, 20, 0]);
  const keys = await ask<KeyFacts[]>(relay.socket, 'GET', '/keys');
  assert.deepEqual(
    keys.map(({ isLost }) => isLost),
    [false, true],
  );
  await relay.end('SIGTERM');
  await rm(ring);
  await rename(saved, ring);
  await relay.start();
  await eventually('all is delivered', async () => (await relay.status()).cache.usedBytes === 0);
  await everythingArrives(oracle, dataFolder, BANK);
});

test('keys are rotated while data waits: nothing restarts, everything arrives, and new machines enrol with the keys they have', async () => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  const machines = await site.machines(2);
  await local.setFault({ mode: 'down' });
  await sendBatches(machines, oracle, 5);
  const { from, to } = await ask<Rotated>(relay.socket, 'POST', '/keys/rotate', {});
  await sendBatches(machines, oracle, 5);
  const facts = await ask<KeyFacts[]>(relay.socket, 'GET', '/keys');
  assert.deepEqual(
    facts.map(({ id, isCurrent, isInUse, enrolmentKeys }) => [id, isCurrent, isInUse, enrolmentKeys]),
    [
      [to, true, true, 1],
      [from, false, true, 0],
    ],
  );
  // Killed, not stopped: both keys must be on disk already.
  await relay.end('SIGKILL');
  const { keys } = JSON.parse(await readFile(join(relay.dataFolder, 'keys', 'cache.json'), 'utf8')) as { keys: object };
  assert.deepEqual(Object.keys(keys).sort(), [from, to].sort());
  await relay.start();
  await local.setFault({ mode: 'none' });
  await everythingArrives(oracle, dataFolder, BANK);
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
});
