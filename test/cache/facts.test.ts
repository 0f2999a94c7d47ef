import assert from 'node:assert/strict';
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openDeadLetters } from '../../src/cache/dead-letters.ts';
import { readLetterFacts } from '../../src/cache/letter-facts.ts';
import { readLossEntries } from '../../src/cache/loss-facts.ts';
import { openLossLedger } from '../../src/cache/loss-ledger.ts';
import { readSegmentFacts } from '../../src/cache/segment-facts.ts';
import { silentLogger } from '../../src/logger.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, newKeys, START_MS, seededBytes, WORKSPACE } from './batches.ts';
import { segmentRig } from './segment-rig.ts';

const NEVER = new AbortController().signal;

describe('the facts of segments, told without a key', () => {
  it('are what is not done, by workspace and kind, with the age of the oldest', async () => {
    await using rig = await segmentRig();
    const open = await rig.open();
    const done = await open.append([batchOf('one'), batchOf('three')]);
    await open.append([batchOf('four', { receivedAt: START_MS + 1_000 })]);
    await open.append([batchOf('performance', { kind: 'Performance' })]);
    open.markDone(done.id, [0]);
    await open.close();
    const facts = await readSegmentFacts(rig.folder, NEVER);
    const event = facts.find(({ kind }) => kind === 'Event');
    assert.equal(facts.length, 2);
    assert.deepEqual(
      [event?.workspaceId, event?.segments, event?.groups, event?.batches, event?.bytes, event?.oldestAt, event?.damaged, event?.unread],
      [WORKSPACE, 1, 2, 2, 9, START_MS, 0, 0],
    );
    assert.ok(event && event.fileBytes > 9 && event.fileBytes === event.largestBytes);
  });

  it('tell of damage, change nothing, and count what there was no time for', async () => {
    await using rig = await segmentRig();
    const open = await rig.open();
    await open.append([batchOf('one')]);
    await open.close();
    const [name = ''] = await rig.segments();
    await appendFile(join(rig.folder, WORKSPACE, name), 'torn');
    const before = await readdir(join(rig.folder, WORKSPACE));
    const [damaged] = await readSegmentFacts(rig.folder, NEVER);
    const [late] = await readSegmentFacts(rig.folder, AbortSignal.abort());
    assert.deepEqual([damaged?.batches, damaged?.damaged, late?.segments, late?.batches, late?.unread], [1, 1, 1, 0, 1]);
    assert.deepEqual(await readdir(join(rig.folder, WORKSPACE)), before);
  });

  it('are none where there is no cache yet', async () => {
    assert.deepEqual(await readSegmentFacts('/nonexistent/cache/segments', NEVER), []);
  });
});

describe('the facts of dead letters', () => {
  it('are read from their files, the oldest first, and damaged ones are left out', async () => {
    await using folder = await temporaryFolder();
    const letters = await openDeadLetters(folder.path, newKeys());
    const batches = [0, 1, 2].map((at) => batchOf(`secret text ${at}`, { receivedAt: START_MS + at }));
    for (const [at, batch] of batches.entries()) await letters.put(batch, { reason: 'refused', answer: 'bad', status: 400 }, START_MS + 10 - at);
    await writeFile(join(folder.path, WORKSPACE, 'x.letter'), 'nothing');
    const found = await readLetterFacts(folder.path, 10);
    assert.deepEqual(
      found.map(({ id }) => id),
      batches.map(({ id }) => id).reverse(),
    );
    assert.ok(!JSON.stringify(found).includes('secret text'));
    assert.equal((await readLetterFacts(folder.path, 1)).length, 1);
    assert.deepEqual(await readLetterFacts(join(folder.path, 'none'), 10), []);
  });
});

describe('the facts of losses', () => {
  it('are the entries of the ledger as they are now', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock(START_MS);
    const ledger = await openLossLedger(folder.path, { clock, random: seededBytes(7), log: silentLogger, onLoss: () => {} });
    const { kind, dataType, agentId } = batchOf('x');
    const loss = {
      workspaceId: WORKSPACE,
      kind,
      dataType,
      agentId,
      reason: 'cache-full',
      batches: 2,
      records: 3,
      bytes: 9,
      firstAt: START_MS,
      lastAt: START_MS,
    } as const;
    await ledger.enter([loss]);
    await ledger.enter([loss]);
    assert.deepEqual(
      (await readLossEntries(folder.path)).map(({ batches, records, reason }) => [batches, records, reason]),
      ledger.list().map(({ batches, records, reason }) => [batches, records, reason]),
    );
    await ledger.close();
    assert.deepEqual(await readLossEntries(join(folder.path, 'none')), []);
  });
});
