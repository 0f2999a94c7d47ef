/** Closes the books after a fault: waits until the cache is empty, then compares what the workspaces have with what was acknowledged. */
import assert from 'node:assert/strict';
import { type Balance, unaccounted } from '../../src/cache/balance.ts';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { type Comparison, type Oracle, readArrived } from '../support/oracle.ts';
import type { Site } from '../support/site.ts';
import { type Figures, NO_FIGURES, sumOf } from './fault.ts';

const EMPTY_AFTER_MS = 90_000;

export interface Closing {
  readonly site: Site;
  readonly oracle: Oracle;
  readonly injected: number;
  /** Batches that may have been sent twice: what was in flight or not yet noted. Without it any number may. */
  readonly mostDuplicated?: number;
  /** Acknowledged batches whose bytes the fault itself destroyed. Exactly these may be missing. */
  readonly destroyed?: number;
}

/** Everything acknowledged is at its workspace, nothing is there that nobody sent, and the relay's own count comes out even. */
export async function closeBooks({ site, oracle, injected, destroyed = 0, mostDuplicated = Number.POSITIVE_INFINITY }: Closing): Promise<Figures> {
  const { relay } = site;
  await eventually('nothing waits any more', async () => (await balances(site)).every(({ cached }) => cached.batches === 0), EMPTY_AFTER_MS);
  const all = await balances(site);
  const compared = sumOf([...site.upstreams.keys()].map((id) => compare(site, oracle, id)));
  const [dropped, deadLettered] = (['dropped', 'deadLettered'] as const).map((entry) => all.reduce((sum, one) => sum + one[entry].batches, 0)) as [
    number,
    number,
  ];
  const said = Math.max(destroyed, dropped + deadLettered);
  const figures = { ...compared, injected, dropped: Math.max(destroyed, dropped), deadLettered, lost: Math.max(0, compared.lost - said) };
  assert.equal(figures.lost, 0, `${figures.lost} acknowledged batches are gone: ${JSON.stringify((await relay.status()).cache)}`);
  assert.ok(compared.lost === said, `${said} batches are said to be gone, but ${compared.lost} are`);
  assert.ok(figures.duplicated <= mostDuplicated, `${figures.duplicated} batches came twice, at most ${mostDuplicated} may have been in flight`);
  for (const balance of all) assert.equal(unaccounted(balance), 0, `the relay's books: ${JSON.stringify(balance)}`);
  return figures;
}

async function balances({ relay }: Site): Promise<Balance[]> {
  return (await relay.status()).cache.workspaces.flatMap(({ balance }) => balance);
}

function compare(site: Site, oracle: Oracle, workspaceId: WorkspaceId): Figures {
  const comparison: Comparison = oracle.compare(workspaceId, readArrived(site.upstream(workspaceId).dataFolder, workspaceId));
  assert.equal(comparison.invented, 0, `workspace ${workspaceId} has batches that nobody sent for it`);
  return {
    ...NO_FIGURES,
    acknowledged: oracle.count(workspaceId),
    delivered: comparison.arrived - comparison.repeated,
    duplicated: comparison.repeated,
    lost: comparison.missing,
  };
}
