import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { UpstreamState } from '../../src/cache/cache.ts';
import type { Fault } from '../../src/local-workspace/faults/faults.ts';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives, readArrived } from '../support/oracle.ts';
import { BANK, PLANT, type Site, startSite } from '../support/site.ts';

async function stateOf(site: Site, workspaceId: string): Promise<UpstreamState | undefined> {
  const { cache } = await site.relay.status();
  return cache.workspaces.find((workspace) => workspace.workspaceId === workspaceId)?.upstream;
}

async function oneFails(t: TestContext, fault: Fault): Promise<void> {
  await using site = await startSite({ workspaces: [BANK, PLANT], sections: { upstream: { connectTimeout: '300ms', requestTimeout: '1s' } } });
  const oracle = createOracle();
  const [bank, plant] = [site.upstream(BANK), site.upstream(PLANT)];
  await bank.local.setFault(fault);
  await using fleet = startFleet({ machines: [...(await site.machines(2, BANK)), ...(await site.machines(2, PLANT))], oracle });

  await eventually('the relay knows that one workspace is away', async () => (await stateOf(site, BANK))?.state !== 'awake');
  const flowing = readArrived(plant.dataFolder, PLANT).length;
  await eventually('data of the other arrives all the while', () => readArrived(plant.dataFolder, PLANT).length > flowing + 100);
  await eventually('data of the one that is away is held', async () => (await stateOf(site, BANK))?.state === 'held');
  assert.equal((await stateOf(site, PLANT))?.state, 'awake');
  assert.equal(readArrived(bank.dataFolder, BANK).length, 0);
  await fleet.stop();
  assert.equal(fleet.answers(503), 0, 'a workspace that is away fills nobody up');
  await everythingArrives(oracle, plant.dataFolder, PLANT);

  await bank.local.setFault({ mode: 'none' });
  const comparisons = [await everythingArrives(oracle, bank.dataFolder, BANK), await everythingArrives(oracle, plant.dataFolder, PLANT)];
  t.diagnostic(`${oracle.count(BANK)} and ${oracle.count(PLANT)} acknowledged; ${JSON.stringify(comparisons)}`);
  assert.deepEqual(oracle.compare(BANK, readArrived(plant.dataFolder, PLANT)).invented, readArrived(plant.dataFolder, PLANT).length);
}

test('of two workspaces one is down: the data of the other flows on, all of it arrives in the end, and nothing of one is found in the other', (t) =>
  oneFails(t, { mode: 'down' }));

test('of two workspaces one accepts connections and never answers: the data of the other flows on', (t) => oneFails(t, { mode: 'black-hole' }));
