import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BatchLine, createBatchLine } from '../../../src/intake/syslog/batch-line.ts';
import { createByteBudget } from '../../../src/intake/syslog/byte-budget.ts';
import type { GatheredBatch, StoreBatch } from '../../../src/intake/syslog/store-batch.ts';
import type { AgentKey } from '../../../src/management-group/agent.ts';
import { parseAgentId } from '../../../src/workspace/workspace-id.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { BANK, PLANT } from '../rig.ts';

const FW: AgentKey = { workspaceId: BANK, agentId: parseAgentId('33333333-3333-4333-8333-333333333333') };
const EVERY_MS = 1_000;
/** Ten records of ten bytes. */
const BATCH_BYTES = 100;
const RECORD = '0123456789';

interface Stage {
  readonly line: BatchLine;
  readonly clock: ManualClock;
  /** Batches that were handed over to be kept, in order. */
  readonly offered: GatheredBatch[];
  readonly budget: ReturnType<typeof createByteBudget>;
  /** Times that there may have been room again. */
  rooms(): number;
  /** The batch that is being kept is kept now. */
  keep(): Promise<void>;
}

function stageWith(budgetBytes = 1_000_000): Stage {
  const clock = createManualClock();
  const budget = createByteBudget(budgetBytes);
  const offered: GatheredBatch[] = [];
  let kept = Promise.withResolvers<boolean>();
  let rooms = 0;
  const store: StoreBatch = (batch) => {
    offered.push({ sender: batch.sender, records: [...batch.records] });
    kept = Promise.withResolvers<boolean>();
    return kept.promise;
  };
  const line = createBatchLine({
    batchEveryMs: EVERY_MS,
    batchBytes: BATCH_BYTES,
    store,
    budget,
    clock,
    onRoom() {
      rooms += 1;
    },
  });
  const keep = async (): Promise<void> => {
    const before = rooms;
    kept.resolve(true);
    await eventually('it is kept', () => rooms > before);
  };
  return { line, clock, offered, budget, rooms: () => rooms, keep };
}

function add(line: BatchLine, count: number, sender = FW): void {
  for (let at = 0; at < count; at += 1) line.add(RECORD, sender);
}

describe('a line of batches', () => {
  it('ends a batch when its first record has waited long enough', () => {
    const { line, clock, offered } = stageWith();
    add(line, 1);
    clock.advance(EVERY_MS - 1);
    add(line, 1);
    assert.equal(offered.length, 0);
    clock.advance(1);
    assert.deepEqual(
      offered.map(({ records }) => records.length),
      [2],
    );
    assert.deepEqual(clock.waits(), [], 'an empty line waits for nothing');
  });

  it('ends a batch when it is full, and never makes one that is larger but of a single record', async () => {
    const { line, offered, keep } = stageWith();
    add(line, 10);
    add(line, 5);
    line.add('x'.repeat(1_000), FW);
    for (let kept = 0; kept < 3; kept += 1) await keep();
    assert.deepEqual(
      offered.map(({ records }) => records.reduce((sum, record) => sum + record.length, 0)),
      [100, 50, 1_000],
    );
  });

  it('counts bytes, not characters', () => {
    const { line, offered } = stageWith();
    for (let at = 0; at < 4; at += 1) line.add('ж'.repeat(15), FW);
    assert.equal(offered.length, 1, 'three records of thirty bytes are a batch, as a fourth would be too many');
  });

  it('begins another batch when its agent has moved to another workspace', async () => {
    const { line, offered, clock, keep } = stageWith();
    add(line, 2);
    add(line, 3, { ...FW, workspaceId: PLANT });
    await keep();
    clock.advance(EVERY_MS);
    assert.deepEqual(
      offered.map(({ sender, records }) => [sender.workspaceId, records.length]),
      [
        [BANK, 2],
        [PLANT, 3],
      ],
    );
  });

  it('keeps one batch at a time, and has no room while another waits behind it', async () => {
    const { line, offered, keep } = stageWith();
    add(line, 10);
    assert.equal(line.hasRoom(), true, 'one is being kept');
    add(line, 10);
    assert.equal(line.hasRoom(), false, 'and one waits');
    assert.equal(offered.length, 1);
    await keep();
    assert.equal(line.hasRoom(), true);
    assert.equal(offered.length, 2);
  });

  it('has no room while all lines together hold too much, and tells when that is over', async () => {
    const { line, budget, keep } = stageWith(150);
    let told = 0;
    budget.onFree(() => {
      told += 1;
    });
    add(line, 10);
    assert.equal(line.hasRoom(), true);
    budget.take(60);
    assert.deepEqual([line.hasRoom(), budget.isExhausted(), told], [false, false, 0]);
    await keep();
    assert.deepEqual([line.hasRoom(), budget.taken(), told], [true, 60, 1]);
    budget.take(240);
    assert.equal(budget.isExhausted(), true, 'twice as much is too much for what is there already');
  });

  it('is finished when all that was added is kept', async () => {
    const { line, keep, offered } = stageWith();
    add(line, 13);
    let isFinished = false;
    const finished = line.finish().then(() => {
      isFinished = true;
    });
    assert.equal(line.waiting(), 13);
    await keep();
    assert.deepEqual([isFinished, line.waiting(), offered.length], [false, 3, 2]);
    await keep();
    await finished;
    assert.equal(line.waiting(), 0);
  });
});
