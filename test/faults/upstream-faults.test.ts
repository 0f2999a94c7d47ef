import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { UpstreamState } from '../../src/cache/cache.ts';
import type { Fault } from '../../src/local-workspace/faults/faults.ts';
import { eventually } from '../support/eventually.ts';
import { type Machine, sendBatches } from '../support/fleet.ts';
import { createOracle, everythingArrives, type Oracle } from '../support/oracle.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

/** Each way to fail, and what `relay status` says about it. */
const FAULTS: readonly (readonly [Fault, RegExp])[] = [
  [{ mode: 'down' }, /ECONNREFUSED/],
  [{ mode: 'refuse' }, /ECONNRESET|UND_ERR_SOCKET|closed|disconnected/i],
  [{ mode: 'black-hole' }, /timeout|in time/i],
  [{ mode: 'hang' }, /timeout|in time/i],
  [{ mode: 'too-many-requests', retryAfterS: 3_600 }, /HTTP 429/],
  [{ mode: 'error' }, /HTTP 500/],
  [{ mode: 'forbidden' }, /HTTP 403/],
  [{ mode: 'status', status: 401 }, /HTTP 401/],
  [{ mode: 'status', status: 404 }, /HTTP 404/],
  [{ mode: 'reset' }, /ECONNRESET|EPIPE|UND_ERR_SOCKET|closed/i],
];

interface Trial {
  readonly site: Site;
  readonly machines: readonly Machine[];
  readonly oracle: Oracle;
}

async function upstreamState({ relay }: Site): Promise<UpstreamState | undefined> {
  return (await relay.status()).cache.workspaces[0]?.upstream;
}

async function surviveFault({ site, machines, oracle }: Trial, fault: Fault, reason: RegExp): Promise<void> {
  const { local, dataFolder } = site.upstream();
  const before = local.batchIds(BANK).length;
  await local.setFault(fault);
  await sendBatches(machines, oracle, 5);
  const resting = await eventually('the relay says that the workspace is away', async () => {
    const state = await upstreamState(site);
    return state?.state !== 'awake' && state;
  });
  assert.match(resting.reason ?? '', reason);
  assert.equal(local.batchIds(BANK).length, before, 'nothing of it can have arrived yet');

  await local.setFault({ mode: 'none' });
  await everythingArrives(oracle, dataFolder, BANK);
  await eventually('the relay says that all is well again', async () => (await upstreamState(site))?.state === 'awake');
}

test('whatever is wrong with the workspace, data is taken, waits, and arrives once that is over; the status says what is wrong', async (t: TestContext) => {
  await using site = await startSite({ sections: { upstream: { connectTimeout: '300ms', requestTimeout: '500ms' } } });
  const trial = { site, machines: await site.machines(2), oracle: createOracle() };
  for (const [fault, reason] of FAULTS) await t.test(JSON.stringify(fault), () => surviveFault(trial, fault, reason));
});

test('with the workspace away from the first moment on, data is taken and arrives once it is there', async () => {
  await using site = await startSite();
  const { local, dataFolder } = site.upstream();
  await local.setFault({ mode: 'down' });
  const oracle = createOracle();
  await sendBatches(await site.machines(2), oracle, 5);
  const { relay } = site;
  await eventually('the data is held', async () => (await upstreamState(site))?.state === 'held');
  await relay.end('SIGKILL');
  await relay.start();
  await local.setFault({ mode: 'none' });
  assert.equal((await everythingArrives(oracle, dataFolder, BANK)).repeated, 0);
});
