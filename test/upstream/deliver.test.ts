import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { createBatchId } from '../../src/batch/batch-id.ts';
import type { Verdict } from '../../src/batch/verdict.ts';
import { silentLogger } from '../../src/logger.ts';
import { createDeliver } from '../../src/upstream/deliver.ts';
import type { Transport } from '../../src/upstream/transport.ts';
import { parseAgentId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { BANK, PLANT } from '../management-group/rig.ts';

function batchOf(workspaceId: WorkspaceId): Batch {
  return {
    id: createBatchId(0, Math.random),
    workspaceId,
    agentId: parseAgentId(randomUUID()),
    kind: 'Event',
    dataType: 'A',
    solution: '',
    receivedAt: 0,
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: {} },
    body: Buffer.alloc(1),
  };
}

function recordingTransport(): Transport & { readonly offered: string[] } {
  const offered: string[] = [];
  return {
    offered,
    async offer(batches) {
      offered.push(...batches.map(({ id }) => id));
      return batches.map((): Verdict => ({ outcome: 'delivered' }));
    },
    async close() {},
  };
}

describe('deliver', () => {
  const signal = new AbortController().signal;

  it('sends batches by their own workspace and tells of each verdict', async () => {
    const [bank, plant] = [recordingTransport(), recordingTransport()];
    const told: string[] = [];
    const deliver = createDeliver({
      transports: new Map([
        [BANK, bank],
        [PLANT, plant],
      ]),
      onVerdict: ({ workspaceId }, { outcome }) => void told.push(`${workspaceId} ${outcome}`),
      log: silentLogger,
    });
    const batches = [batchOf(PLANT), batchOf(PLANT)];
    assert.deepEqual(await deliver(batches, signal), [{ outcome: 'delivered' }, { outcome: 'delivered' }]);
    assert.deepEqual([bank.offered, plant.offered], [[], batches.map(({ id }) => id)]);
    assert.deepEqual(told, [`${PLANT} delivered`, `${PLANT} delivered`]);
  });

  it('sends nothing of a group that mixes workspaces, or whose workspace is not configured', async () => {
    const bank = recordingTransport();
    const deliver = createDeliver({ transports: new Map([[BANK, bank]]), onVerdict: () => {}, log: silentLogger });
    for (const batches of [[batchOf(BANK), batchOf(PLANT)], [batchOf(PLANT)]]) {
      const verdicts = await deliver(batches, signal);
      assert.deepEqual(
        verdicts.map(({ outcome }) => outcome),
        batches.map(() => 'retry'),
      );
    }
    assert.deepEqual([await deliver([], signal), bank.offered], [[], []]);
  });
});
