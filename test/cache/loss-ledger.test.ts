import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Loss, LossLedger } from '../../src/cache/loss.ts';
import { openLossLedger } from '../../src/cache/loss-ledger.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { silentLogger } from '../../src/logger.ts';
import type { AgentId } from '../../src/workspace/workspace-id.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { OTHER, START_MS, seededBytes, WORKSPACE } from './batches.ts';

interface Rig extends AsyncDisposable {
  readonly path: string;
  readonly entered: Loss[];
  open(): Promise<LossLedger>;
}

async function ledgerRig(): Promise<Rig> {
  const folder = await temporaryFolder();
  const clock = createManualClock(START_MS);
  const entered: Loss[] = [];
  const random = seededBytes(7);
  return {
    path: join(folder.path, 'journal.jsonl'),
    entered,
    open: () => openLossLedger(folder.path, { clock, random, log: silentLogger, onLoss: (loss) => entered.push(loss) }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function lossOf(more: Partial<Loss> = {}): Loss {
  return {
    workspaceId: WORKSPACE,
    kind: 'Performance',
    dataType: 'LINUX_PERF_BLOB',
    agentId: '11111111-2222-4333-8444-555555555555' as AgentId,
    reason: 'cache-full',
    batches: 1,
    records: 10,
    bytes: 100,
    firstAt: START_MS,
    lastAt: START_MS,
    ...more,
  };
}

describe('the loss ledger', () => {
  it('adds up what is alike, and keeps apart what is not', async () => {
    await using rig = await ledgerRig();
    const losses = await rig.open();
    await losses.enter([lossOf({ firstAt: START_MS + 5, lastAt: START_MS + 5 }), lossOf({ records: undefined, lastAt: START_MS + 9 })]);
    await losses.enter([lossOf({ firstAt: START_MS - 3 }), lossOf({ reason: 'purged' }), lossOf({ workspaceId: OTHER })]);
    const [entry] = losses.list(WORKSPACE);
    assert.deepEqual(
      [entry?.batches, entry?.records, entry?.uncountedBatches, entry?.bytes, entry?.firstAt, entry?.lastAt, entry?.reported],
      [3, 20, 1, 300, START_MS - 3, START_MS + 9, false],
    );
    assert.deepEqual(
      losses.list().map(({ workspaceId, reason, batches }) => [workspaceId, reason, batches]),
      [
        [WORKSPACE, 'cache-full', 3],
        [WORKSPACE, 'purged', 1],
        [OTHER, 'cache-full', 1],
      ],
    );
    assert.equal(rig.entered.length, 5);
    await losses.close();
  });

  it('has after an opening what it had before, its sources too', async () => {
    await using rig = await ledgerRig();
    const source = { group: 'Event-x.1' as GroupId, positions: [0, 2] };
    let losses = await rig.open();
    await losses.enter([lossOf()], source);
    for (let round = 0; round < 3; round += 1) {
      const before = losses.list();
      await losses.close();
      losses = await rig.open();
      assert.deepEqual(losses.list(), before);
      assert.deepEqual(losses.sources(), [source]);
      await losses.enter([lossOf({ batches: 2 })]);
    }
    assert.equal(losses.list()[0]?.batches, 7);
    await losses.close();
  });

  it('settles a report before it is told, and makes the same one again after a kill', async () => {
    await using rig = await ledgerRig();
    const before = await rig.open();
    await before.enter([lossOf(), lossOf({ kind: 'Metadata' })]);
    const report = await before.nextReport(WORKSPACE);
    assert.equal(report?.entries.length, 2);
    assert.deepEqual(await before.nextReport(WORKSPACE), report);
    await before.enter([lossOf()]);

    const after = await rig.open();
    const again = await after.nextReport(WORKSPACE);
    assert.deepEqual(again, report, 'the same id and the same entries, though more was lost meanwhile');
    assert.ok(again);
    await after.markReported(again);
    await after.markReported(again);
    const next = await after.nextReport(WORKSPACE);
    assert.deepEqual([next?.entries.length, next?.entries[0]?.batches], [1, 1]);
    assert.notEqual(next?.batchId, report?.batchId);
    assert.ok(next);
    await after.markReported(next);
    assert.equal(await after.nextReport(WORKSPACE), undefined);
    assert.equal(await after.nextReport(OTHER), undefined);
    assert.deepEqual(after.unreported(WORKSPACE), []);
    assert.equal(after.list().length, 3);
    await after.close();

    await before.close();

    const last = await rig.open();
    assert.equal(await last.nextReport(WORKSPACE), undefined, 'told once, however often the relay starts');
    await last.close();
  });

  it('reads a journal cut off at every byte: each entry that was told is there, once', async () => {
    await using rig = await ledgerRig();
    const losses = await rig.open();
    await losses.enter([lossOf()]);
    const sizes = [(await readFile(rig.path)).length];
    for (let at = 2; at <= 4; at += 1) {
      await losses.enter([lossOf()]);
      sizes.push((await readFile(rig.path)).length);
    }
    await losses.close();
    const whole = await readFile(rig.path);
    for (let bytes = 0; bytes <= whole.length; bytes += 1) {
      await writeFile(rig.path, whole);
      await truncate(rig.path, bytes);
      const cut = await rig.open();
      const synced = sizes.filter((size) => size <= bytes).length;
      assert.equal(cut.list()[0]?.batches ?? 0, synced, `cut at ${bytes}`);
      if (bytes % 50 === 0) {
        await cut.enter([lossOf()]);
        await cut.close();
        const next = await rig.open();
        assert.equal(next.list()[0]?.batches, synced + 1, `written on after a cut at ${bytes}`);
        await next.close();
      } else await cut.close();
    }
  });

  it('leaves out a damaged line and reads on', async () => {
    await using rig = await ledgerRig();
    const losses = await rig.open();
    await losses.enter([lossOf()]);
    await losses.close();
    await appendFile(rig.path, '\0\0\0\0 no JSON\n');
    const after = await rig.open();
    assert.equal(after.list().length, 1);
    await after.enter([lossOf()]);
    assert.equal(after.list()[0]?.batches, 2);
    await after.close();
  });

  it('says so when it cannot be written, counts nothing, and goes on once it can', async () => {
    await using rig = await ledgerRig();
    const losses = await rig.open();
    await mkdir(rig.path);
    await assert.rejects(losses.enter([lossOf()]));
    assert.deepEqual([losses.list(), rig.entered], [[], []]);
    await rm(rig.path, { recursive: true });
    await losses.enter([lossOf()]);
    assert.equal(losses.list()[0]?.batches, 1);
    await losses.close();
  });
});
