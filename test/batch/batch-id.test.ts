import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { createBatchId, partId, readBatchId } from '../../src/batch/batch-id.ts';

const NOW = Date.UTC(2026, 10, 22, 12);

describe('createBatchId', () => {
  it('makes the example of RFC 9562, appendix A.6', () => {
    const random = (bytes: Uint8Array): void => {
      bytes.set(Buffer.from('000000000000fcc398c4dc0c0c07398f', 'hex'));
    };
    assert.equal(createBatchId(0x017f22e279b0, random), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  it('is a UUID of version 7 whatever chance gives', () => {
    for (const fill of [0x00, 0xff, 0x5a]) {
      const id = createBatchId(NOW, (bytes) => bytes.fill(fill));
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('sorts by the time of receipt', () => {
    const times = [0, 1, 255, 256, 65_536, NOW, NOW + 1, NOW + 86_400_000, 2 ** 47];
    const ids = times.map((time) => createBatchId(time, randomFillSync));
    assert.deepEqual(ids.toSorted(), ids);
  });

  it('is never the same twice within a millisecond', () => {
    const ids = Array.from({ length: 1000 }, () => createBatchId(NOW, randomFillSync));
    assert.equal(new Set(ids).size, ids.length);
  });

  it('takes a clock that is before 1970, between milliseconds or beyond 48 bits', () => {
    const zero = (bytes: Uint8Array): void => {
      bytes.fill(0);
    };
    assert.equal(createBatchId(-1, zero), createBatchId(0, zero));
    assert.equal(createBatchId(1.9, zero), createBatchId(1, zero));
    assert.equal(createBatchId(2 ** 48, zero), createBatchId(0, zero));
  });
});

describe('partId', () => {
  it('is an id like any other, the same one for the same part of the same batch, of the same time', () => {
    const whole = createBatchId(NOW, randomFillSync);
    const parts = [partId(whole, 0, 5), partId(whole, 5, 10), partId(whole, 0, 10), partId(createBatchId(NOW, randomFillSync), 0, 5)];
    assert.equal(new Set([whole, ...parts]).size, 5);
    assert.equal(partId(whole, 0, 5), parts[0]);
    for (const part of parts) {
      assert.equal(readBatchId(part), part);
      assert.equal(part.slice(0, 13), whole.slice(0, 13));
    }
  });
});
