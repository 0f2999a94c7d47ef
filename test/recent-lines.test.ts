import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRecentLines } from '../src/recent-lines.ts';

describe('recent lines', () => {
  it('are kept in their order, as many as there is room for', () => {
    const recent = createRecentLines(12);
    for (const line of ['one\n', 'two\n', 'six\n', 'ten\n']) recent.add(line);
    assert.deepEqual(recent.all(), ['two\n', 'six\n', 'ten\n']);
  });

  it('are counted in bytes, not in characters', () => {
    const recent = createRecentLines(5);
    recent.add('ä');
    recent.add('öü');
    assert.deepEqual(recent.all(), ['öü']);
  });

  it('leave out a single one that is longer than the room', () => {
    const recent = createRecentLines(5);
    recent.add('short');
    recent.add('longer');
    assert.deepEqual(recent.all(), ['short']);
  });

  it('never take more room than they may, however many come', () => {
    const recent = createRecentLines(1_000);
    for (let at = 0; at < 100_000; at += 1) recent.add('x'.repeat(at % 100));
    const kept = recent.all();
    const bytes = kept.join('').length;
    assert.ok(bytes <= 1_000 && bytes > 900, String(bytes));
    assert.equal(kept.at(-1)?.length, 99);
  });
});
