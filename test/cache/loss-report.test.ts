import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import type { PutOutcome } from '../../src/cache/cache.ts';
import type { Loss } from '../../src/cache/loss.ts';
import { openLossLedger } from '../../src/cache/loss-ledger.ts';
import { startLossReporter } from '../../src/cache/loss-report.ts';
import { silentLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, OTHER, START_MS, seededBytes, WORKSPACE } from './batches.ts';

function lossOf(number: number, workspaceId = WORKSPACE): Loss {
  const { agentId } = batchOf('');
  const amounts = { batches: 1, records: 2, bytes: 3, firstAt: START_MS, lastAt: START_MS };
  return { workspaceId, kind: 'Event', dataType: `T${number}`, agentId, reason: 'purged', ...amounts };
}

describe('the report of losses', () => {
  it('waits until the workspace can be reached and the cache takes it, and is made once', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock(START_MS);
    const losses = await openLossLedger(folder.path, { clock, random: seededBytes(3), log: silentLogger, onLoss: () => {} });
    const offered: Batch[] = [];
    const reachable = new Set([OTHER]);
    let outcome: PutOutcome = { outcome: 'full', message: 'no room' };
    let looks = 0;
    const stop = startLossReporter({
      losses,
      workspaces: [WORKSPACE, OTHER],
      put: (batch) => {
        offered.push(batch);
        return Promise.resolve(outcome);
      },
      isReachable: (workspaceId) => {
        looks += 1;
        return reachable.has(workspaceId);
      },
      hostName: 'relay-host',
      clock,
      log: silentLogger,
    });
    const look = async (): Promise<void> => {
      const before = looks;
      await eventually('it looks again', () => {
        clock.advance(5_000);
        return looks >= before + 4;
      });
    };

    for (let number = 0; number < 450; number += 1) await losses.enter([lossOf(number)]);
    await look();
    assert.deepEqual(offered, [], 'the workspace is away');

    reachable.add(WORKSPACE);
    await look();
    assert.equal(new Set(offered.map(({ id }) => id)).size, 1, 'what was refused is offered again as it was');
    assert.equal(losses.unreported(WORKSPACE).length, 450);

    outcome = { outcome: 'stored' };
    offered.length = 0;
    await eventually('all is told', () => {
      clock.advance(5_000);
      return losses.unreported(WORKSPACE).length === 0;
    });
    await look();
    assert.deepEqual([offered.length, new Set(offered.map(({ id }) => id)).size], [3, 3]);
    assert.ok(offered.every(({ workspaceId, kind, dataType }) => workspaceId === WORKSPACE && kind === 'Alert' && dataType === 'OPERATION_BLOB'));
    await stop();
    await losses.close();
  });
});
