import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Received, withBatch } from '../../src/management-group/received.ts';
import { START } from './rig.ts';

const NOTHING: Received = { receivedBatches: 0, receivedBytes: 0, solutions: {} };

describe('what was received from an agent', () => {
  it('notes when a solution was last seen, to the minute', () => {
    const first = withBatch(NOTHING, 'Security', 10, START);
    const soon = withBatch(first, 'Security', 10, START + 59_999);
    const later = withBatch(soon, 'Security', 10, START + 60_000);
    assert.equal(soon.solutions, first.solutions);
    assert.deepEqual(later, { receivedBatches: 3, receivedBytes: 30, solutions: { Security: START + 60_000 } });
  });

  it('notes again when the clock was set back', () => {
    const noted = withBatch(withBatch(NOTHING, 'Security', 1, START), 'Security', 1, START - 3_600_000);
    assert.deepEqual(noted.solutions, { Security: START - 3_600_000 });
  });

  it('keeps the 64 seen last, whatever an agent calls them', () => {
    let received = NOTHING;
    for (let at = 0; at < 1_000; at += 1) received = withBatch(received, `S${at}${'x'.repeat(200)}`, 1, START + at);
    received = withBatch(received, '__proto__', 1, START + 1_000);
    const names = Object.keys(received.solutions);
    assert.deepEqual([names.length, names.includes('__proto__'), names.includes(`S999${'x'.repeat(96)}`)], [64, true, true]);
    assert.equal(withBatch(received, '__proto__', 1, START + 1_001).solutions, received.solutions);
  });
});
