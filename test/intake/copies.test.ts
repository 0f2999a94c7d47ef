import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { copyId, readBatchId } from '../../src/batch/batch-id.ts';
import type { PutOutcome } from '../../src/cache/cache.ts';
import type { CopyOutcome } from '../../src/cache/put-copy.ts';
import { type Accept, type Arrival, createAccept } from '../../src/intake/accept.ts';
import { createCopies } from '../../src/intake/copies.ts';
import { silentLogger } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { createManualClock } from '../support/manual-clock.ts';

const BANK = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
const AUDIT = parseWorkspaceId('22222222-2222-4222-8222-222222222222');
const ARCHIVE = parseWorkspaceId('33333333-3333-4333-8333-333333333333');
const STORED: CopyOutcome = { outcome: 'stored' };

interface Rig extends Accept {
  readonly put: Batch[];
  readonly copied: Batch[];
  readonly told: Batch[];
  outcomes: Partial<Record<WorkspaceId, CopyOutcome>>;
  held: readonly WorkspaceId[];
  received(workspaceId: WorkspaceId): Promise<number>;
}

/** Intake over a cache that answers as told. The bank is copied to audit and archive, audit to the bank. */
function rigOf(): Rig {
  const metrics = createMetrics();
  const [put, copied, told]: [Batch[], Batch[], Batch[]] = [[], [], []];
  const copyTo = new Map([
    [BANK, [AUDIT, ARCHIVE]],
    [AUDIT, [BANK]],
  ]);
  const answerTo = (batch: Batch, list: Batch[]): CopyOutcome => {
    const outcome = rig.outcomes[batch.workspaceId] ?? STORED;
    if (outcome.outcome === 'stored') list.push(batch);
    return outcome;
  };
  const cache = {
    put: async (batch: Batch) => answerTo(batch, put) as PutOutcome,
    putAside: async (batch: Batch) => answerTo(batch, put) as PutOutcome,
    isHeld: (workspaceId: WorkspaceId) => rig.held.includes(workspaceId),
  };
  const copies = createCopies({ copyTo, putCopy: async (batch) => answerTo(batch, copied), metrics });
  const accept = createAccept({
    cache,
    copies,
    retryEveryMs: 480_000,
    clock: createManualClock(1_000),
    random: (bytes) => void randomFillSync(bytes),
    metrics,
    onKept: (batch) => void told.push(batch),
    log: silentLogger,
  });
  const rig: Rig = {
    ...accept,
    put,
    copied,
    told,
    outcomes: {},
    held: [],
    async received(workspaceId) {
      const line = (await metrics.expose()).split('\n').find((one) => one.startsWith(`relay_received_batches_total{workspace="${workspaceId}",kind="Event"} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
  };
  return rig;
}

function arrival(workspaceId: WorkspaceId, more: Partial<Arrival> = {}): Arrival {
  return {
    workspaceId,
    agentId: parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f'),
    dataType: 'LINUX_SYSLOGS_BLOB',
    solution: 'LogManagement',
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: {} },
    body: Buffer.from('{}'),
    ...more,
  };
}

describe('copies for further workspaces', () => {
  it('are batches of their own: workspace and id differ, all else is the same, and only the agent of the first is told of', async () => {
    const rig = rigOf();
    const id = await rig.accept(arrival(BANK));
    const [first] = rig.put;
    assert.deepEqual(
      rig.copied,
      [AUDIT, ARCHIVE].map((workspaceId) => ({ ...first, workspaceId, id: copyId(id, workspaceId) })),
    );
    assert.deepEqual(rig.told, [first]);
    assert.deepEqual([await rig.received(BANK), await rig.received(AUDIT), await rig.received(ARCHIVE)], [1, 1, 1]);
  });

  it('have ids that follow from the batch and the workspace, with the time of the batch', () => {
    const whole = readBatchId('019376a0-0000-7000-8000-000000000001') ?? assert.fail('no id');
    assert.equal(copyId(whole, AUDIT), copyId(whole, AUDIT));
    assert.equal(new Set([whole, copyId(whole, AUDIT), copyId(whole, ARCHIVE)]).size, 3);
    assert.equal(readBatchId(copyId(whole, AUDIT))?.slice(0, 13), whole.slice(0, 13));
  });

  it('are not copied on, not even back, and a workspace without copies has none', async () => {
    const rig = rigOf();
    await rig.accept(arrival(AUDIT));
    await rig.accept(arrival(ARCHIVE));
    assert.deepEqual(
      rig.copied.map(({ workspaceId }) => workspaceId),
      [BANK],
    );
  });

  it('are not made of a batch that its own workspace has no room for', async () => {
    const rig = rigOf();
    rig.outcomes = { [BANK]: { outcome: 'full', message: 'no room.' } };
    await assert.rejects(rig.accept(arrival(BANK)), { code: 'relay.cache.full' });
    assert.deepEqual(rig.copied, []);
  });

  it('without room refuse nobody; the other copies are kept, and all count as received', async () => {
    const rig = rigOf();
    rig.outcomes = { [AUDIT]: { outcome: 'lost' } };
    await rig.accept(arrival(BANK));
    assert.deepEqual([rig.put.length, rig.copied.map(({ workspaceId }) => workspaceId), await rig.received(AUDIT)], [1, [ARCHIVE], 1]);
  });

  it('that disk or index did not take refuse the sender, after the others were kept, and what it sends again is kept', async () => {
    const rig = rigOf();
    rig.outcomes = { [AUDIT]: { outcome: 'unavailable', message: 'Redis is away.' } };
    const own = readBatchId('019376a0-0000-7000-8000-000000000001');
    await assert.rejects(rig.accept(arrival(BANK, { id: own })), { code: 'relay.cache.unavailable', message: /copy for workspace 2{8}.* Redis is away\./ });
    rig.outcomes = {};
    await rig.accept(arrival(BANK, { id: own }));
    assert.deepEqual(
      rig.copied.map(({ workspaceId }) => workspaceId),
      [ARCHIVE, AUDIT, ARCHIVE],
    );
    assert.equal(new Set(rig.copied.map(({ id }) => id)).size, 2, 'a repeat has the ids it had');
  });

  it('are not made twice for a repeat', async () => {
    const rig = rigOf();
    await rig.accept(arrival(BANK));
    await rig.accept(arrival(BANK, { saysRepeat: true }));
    assert.deepEqual([rig.put.length, rig.copied.length], [1, 2]);
  });

  it('are not made of what nobody can read', async () => {
    const rig = rigOf();
    await rig.quarantine(arrival(BANK), 'no zlib');
    assert.deepEqual([rig.put.length, rig.copied.length], [1, 0]);
  });

  it('go on while their origin is held: senders with a queue keep their data only when nobody can be given it', async () => {
    const rig = rigOf();
    rig.held = [BANK, AUDIT];
    await rig.accept(arrival(BANK, { hasOwnQueue: true }));
    rig.held = [AUDIT, ARCHIVE];
    await rig.accept(arrival(BANK, { hasOwnQueue: true }));
    rig.held = [BANK, AUDIT, ARCHIVE];
    await assert.rejects(rig.accept(arrival(BANK, { hasOwnQueue: true })), { code: 'relay.cache.held' });
    await rig.accept(arrival(BANK));
    assert.equal(rig.copied.length, 6);
  });
});
