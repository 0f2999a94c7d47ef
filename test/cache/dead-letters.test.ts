import assert from 'node:assert/strict';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { type DeadLetterCause, openDeadLetters } from '../../src/cache/dead-letters.ts';
import type { Loss } from '../../src/cache/loss.ts';
import { createLogger } from '../../src/logger.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, newKeys, OTHER, START_MS, WORKSPACE } from './batches.ts';

const REFUSED: DeadLetterCause = { reason: 'refused', status: 400, answer: 'no such field' };

function idsOf(list: readonly { readonly id: string }[]): string[] {
  return list.map(({ id }) => id);
}

describe('openDeadLetters', () => {
  it('keeps a batch with what condemned it, over openings', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const batch = batchOf('secret');
    await (await openDeadLetters(folder.path, keys)).put(batch, REFUSED, START_MS + 5);
    const letters = await openDeadLetters(folder.path, keys);
    const opened = await letters.open(batch.id);
    assert.deepEqual(opened?.batch, batch);
    assert.deepEqual({ ...opened?.letter, at: opened?.letter.at }, { ...(await letters.list())[0], at: START_MS + 5 });
    assert.equal(await letters.open('nothing'), undefined);
  });

  it('lists those of one workspace or of all, the oldest first, in pages', async () => {
    await using folder = await temporaryFolder();
    const letters = await openDeadLetters(folder.path, newKeys());
    const [late, early, other] = [batchOf('late', { dataType: 'A' }), batchOf('early'), batchOf('other', { workspaceId: OTHER })];
    await letters.put(late, REFUSED, START_MS + 2);
    await letters.put(early, REFUSED, START_MS);
    await letters.put(other, REFUSED, START_MS + 1);
    assert.deepEqual(idsOf(await letters.list()), [early.id, other.id, late.id]);
    assert.deepEqual(idsOf(await letters.list({ workspaceId: WORKSPACE })), [early.id, late.id]);
    assert.deepEqual(idsOf(await letters.list({ workspaceId: WORKSPACE.slice(0, 6), dataType: 'A' })), [late.id]);
    const [first] = await letters.list({ limit: 1 });
    assert.deepEqual(idsOf(await letters.list({ after: first, limit: 1 })), [other.id]);
    assert.deepEqual(idsOf(await letters.list({ after: first })), [other.id, late.id]);
  });

  it('counts the bytes of a batch that was refused once more after a crash only once', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const letters = await openDeadLetters(folder.path, keys);
    const batch = batchOf('x'.repeat(1_000));
    await letters.put(batch, REFUSED, START_MS);
    const once = letters.usedBytes();
    await letters.put(batch, REFUSED, START_MS);
    assert.equal(letters.usedBytes(), once);
    assert.equal(letters.usedBytes(WORKSPACE), once);
    assert.equal(letters.usedBytes(OTHER), 0);
    assert.equal((await openDeadLetters(folder.path, keys)).usedBytes(), once);
  });

  it('counts the letters of each workspace by the answer, and tells the age of the oldest, over openings and as they go', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const letters = await openDeadLetters(folder.path, keys);
    assert.deepEqual(letters.count(WORKSPACE), { letters: 0, bytes: 0, byStatus: {} });
    const [early, late] = [batchOf('early'), batchOf('late')];
    await letters.put(late, REFUSED, START_MS + 2);
    await letters.put(early, { reason: 'quarantined', answer: 'no JSON' }, START_MS + 1);
    await letters.put(batchOf('other', { workspaceId: OTHER }), REFUSED, START_MS);
    const expected = { letters: 2, bytes: letters.usedBytes(WORKSPACE), byStatus: { 400: 1, quarantined: 1 }, oldestAt: START_MS + 1 };
    assert.deepEqual(letters.count(WORKSPACE), expected);
    assert.deepEqual((await openDeadLetters(folder.path, keys)).count(WORKSPACE), expected);
    await letters.discard(early.id);
    assert.deepEqual(letters.count(WORKSPACE), { letters: 1, bytes: letters.usedBytes(WORKSPACE), byStatus: { 400: 1 }, oldestAt: START_MS + 2 });
  });

  it('keeps apart what two workspaces call by the same id', async () => {
    await using folder = await temporaryFolder();
    const letters = await openDeadLetters(folder.path, newKeys());
    const batch = batchOf('mine');
    await letters.put(batch, REFUSED, START_MS);
    await letters.put({ ...batch, workspaceId: OTHER, body: Buffer.from('theirs') }, REFUSED, START_MS);
    assert.equal((await letters.list()).length, 2);
    assert.ok(letters.usedBytes(WORKSPACE) > 0 && letters.usedBytes(OTHER) > 0);
  });

  it('reads a first line that is long, and no body', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const letters = await openDeadLetters(folder.path, keys);
    const batch = batchOf('x');
    await letters.put(batch, { ...REFUSED, answer: 'no '.repeat(20_000) }, START_MS);
    assert.equal((await letters.list())[0]?.answer.length, 60_000);
  });
});

describe('a damaged dead letter', () => {
  it('is set aside at the start, said, and does not stop the others', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const batch = batchOf('good');
    await (await openDeadLetters(folder.path, keys)).put(batch, REFUSED, START_MS);
    const [empty, strange, foreign] = [batchOf('1'), batchOf('2'), batchOf('3')];
    await writeFile(join(folder.path, WORKSPACE, `${empty.id}.letter`), '');
    await writeFile(join(folder.path, WORKSPACE, `${strange.id}.letter`), 'x'.repeat(10_000));
    await writeFile(join(folder.path, WORKSPACE, `${foreign.id}.letter`), `${JSON.stringify({ ...batch, body: '' })}\n`);
    const said: string[] = [];
    const letters = await openDeadLetters(folder.path, keys, { log: createLogger('warn', { write: (line: string) => void said.push(line) }) });
    assert.deepEqual(idsOf(await letters.list()), [batch.id]);
    assert.equal(said.length, 3);
    const names = await readdir(join(folder.path, WORKSPACE));
    assert.equal(names.filter((name) => name.endsWith('.damaged')).length, 3);
    assert.equal((await (await openDeadLetters(folder.path, keys)).list()).length, 1);
  });

  it('that is damaged while the relay runs is left out of the list', async () => {
    await using folder = await temporaryFolder();
    const letters = await openDeadLetters(folder.path, newKeys());
    const [good, bad] = [batchOf('good'), batchOf('bad')];
    await letters.put(good, REFUSED, START_MS);
    await letters.put(bad, REFUSED, START_MS + 1);
    await writeFile(join(folder.path, WORKSPACE, `${bad.id}.letter`), '{');
    assert.deepEqual(idsOf(await letters.list()), [good.id]);
  });

  it('that is the oldest does not keep the letters above their limit', async () => {
    await using folder = await temporaryFolder();
    const body = Buffer.alloc(1_000);
    const letters = await openDeadLetters(folder.path, newKeys(), { limitBytes: 2_500 });
    const [bad, second, third] = [batchOf('', { body }), batchOf('', { body }), batchOf('', { body })];
    await letters.put(bad, REFUSED, START_MS);
    await writeFile(join(folder.path, WORKSPACE, `${bad.id}.letter`), '{');
    await letters.put(second, REFUSED, START_MS + 1);
    await letters.put(third, REFUSED, START_MS + 2);
    assert.deepEqual(idsOf(await letters.list()), [third.id]);
    assert.ok(letters.usedBytes() <= 2_500);
  });
});

describe('a dead letter that is sent again', () => {
  it('goes only when it was stored', async () => {
    await using folder = await temporaryFolder();
    const letters = await openDeadLetters(folder.path, newKeys());
    const batch = batchOf('again');
    await letters.put(batch, REFUSED, START_MS);
    const used = letters.usedBytes();
    assert.deepEqual(await letters.replay(batch.id, async () => ({ outcome: 'full', message: 'no room' })), { outcome: 'full', message: 'no room' });
    await assert.rejects(letters.replay(batch.id, () => Promise.reject(new Error('broken'))));
    assert.deepEqual([idsOf(await letters.list()), letters.usedBytes()], [[batch.id], used]);
    const stored: Batch[] = [];
    const put = async (one: Batch): Promise<{ outcome: 'stored' }> => {
      stored.push(one);
      return { outcome: 'stored' };
    };
    assert.deepEqual(await letters.replay(batch.id, put), { outcome: 'stored' });
    assert.deepEqual([stored, await letters.list(), letters.usedBytes(), await readdir(join(folder.path, WORKSPACE))], [[batch], [], 0, []]);
    assert.equal(await letters.replay(batch.id, put), undefined);
  });

  it('and refused again before it is gone stays a dead letter', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const letters = await openDeadLetters(folder.path, keys);
    const batch = batchOf('again');
    await letters.put(batch, REFUSED, START_MS);
    await letters.replay(batch.id, async (one) => {
      await letters.put(one, { ...REFUSED, answer: 'still no such field' }, START_MS + 1);
      return { outcome: 'stored' };
    });
    assert.deepEqual(
      (await letters.list()).map(({ answer }) => answer),
      ['still no such field'],
    );
    assert.equal((await (await openDeadLetters(folder.path, keys)).list()).length, 1);
  });

  it('is a letter again after a crash half way', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const batch = batchOf('again');
    await (await openDeadLetters(folder.path, keys)).put(batch, REFUSED, START_MS);
    const path = join(folder.path, WORKSPACE, batch.id);
    await rename(`${path}.letter`, `${path}.leaving-1`);
    assert.deepEqual(idsOf(await (await openDeadLetters(folder.path, keys)).list()), [batch.id]);
  });
});

describe('a dead letter that is given up', () => {
  it('is entered as a loss before it goes, and kept when that cannot be written', async () => {
    await using folder = await temporaryFolder();
    const losses: Loss[] = [];
    let isDiskFull = true;
    const enterLosses = async (given: readonly Loss[]): Promise<void> => {
      if (isDiskFull) throw new Error('ENOSPC');
      losses.push(...given);
    };
    const letters = await openDeadLetters(folder.path, newKeys(), { enterLosses });
    const batch = batchOf('hello');
    await letters.put(batch, { ...REFUSED, records: 3 }, START_MS + 9);
    await assert.rejects(letters.discard(batch.id), /ENOSPC/);
    assert.deepEqual(idsOf(await letters.list()), [batch.id]);
    isDiskFull = false;
    assert.equal((await letters.discard(batch.id))?.id, batch.id);
    const { workspaceId, agentId, kind, dataType } = batch;
    const expected = { workspaceId, kind, dataType, agentId, reason: 'discarded', batches: 1, records: 3, bytes: 5, firstAt: START_MS, lastAt: START_MS };
    assert.deepEqual([losses, await letters.list(), letters.usedBytes()], [[expected], [], 0]);
    assert.equal(await letters.discard(batch.id), undefined);
  });

  it('is the oldest of its own workspace when there are too many, and each is entered', async () => {
    await using folder = await temporaryFolder();
    const losses: Loss[] = [];
    const enterLosses = async (given: readonly Loss[]): Promise<void> => void losses.push(...given);
    const body = Buffer.alloc(1_000);
    const one = await openDeadLetters(join(folder.path, 'one'), newKeys());
    await one.put(batchOf('', { body }), REFUSED, START_MS);
    const limitBytes = Math.floor(one.usedBytes() * 3.5);
    const letters = await openDeadLetters(join(folder.path, 'all'), newKeys(), { limitBytes, enterLosses });
    const other = batchOf('', { body, workspaceId: OTHER });
    await letters.put(other, REFUSED, START_MS - 1);
    const batches = Array.from({ length: 6 }, () => batchOf('', { body }));
    for (const [at, batch] of batches.entries()) await letters.put(batch, REFUSED, START_MS + at);
    assert.deepEqual(idsOf(await letters.list()), [other.id, ...idsOf(batches.slice(3))]);
    assert.deepEqual(
      losses.map(({ reason, bytes, workspaceId }) => [reason, bytes, workspaceId]),
      [1, 2, 3].map(() => ['dead-letters-full', 1_000, WORKSPACE]),
    );
    const large = batchOf('', { body: Buffer.alloc(10_000) });
    await letters.put(large, REFUSED, START_MS + 9);
    assert.deepEqual(idsOf(await letters.list({ workspaceId: WORKSPACE })), [large.id], 'one that is too large for all stays until the next');
  });
});
