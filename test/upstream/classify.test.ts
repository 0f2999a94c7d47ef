import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRetryAfter } from '../../src/oms-protocol/retry-after.ts';
import { classify } from '../../src/upstream/classify.ts';

const NOW = Date.UTC(2026, 10, 23, 12);

describe('classify', () => {
  const statuses = [
    { status: 200, outcome: 'delivered' },
    { status: 202, outcome: 'delivered' },
    { status: 299, outcome: 'delivered' },
    ...[400, 411, 413, 415, 422].map((status) => ({ status, outcome: 'refused' })),
    ...[301, 302, 304, 307, 401, 403, 404, 405, 407, 408, 409, 410, 429, 431, 451, 499, 500, 501, 502, 503, 504, 599].map((status) => ({
      status,
      outcome: 'retry',
    })),
  ];
  for (const { status, outcome } of statuses) {
    it(`takes ${status} for ${outcome}`, () => assert.equal(classify({ status, text: '' }, NOW).outcome, outcome));
  }

  it('keeps what upstream said of a refused batch, on one line and no longer than 500 characters', () => {
    assert.deepEqual(classify({ status: 400, text: ' bad\n record \t' }, NOW), { outcome: 'refused', status: 400, answer: 'bad record' });
    const verdict = classify({ status: 400, text: 'x'.repeat(1_000) }, NOW);
    assert.ok(verdict.outcome === 'refused' && verdict.answer.length === 500);
  });

  it('lets the whole workspace rest on a retry, as long as upstream asked, and says why', () => {
    assert.deepEqual(classify({ status: 503, text: 'busy', retryAfter: '30' }, NOW), {
      outcome: 'retry',
      scope: 'workspace',
      reason: 'HTTP 503: busy',
      retryAfterMs: 30_000,
    });
    assert.deepEqual(classify({ status: 429, text: '' }, NOW), { outcome: 'retry', scope: 'workspace', reason: 'HTTP 429', retryAfterMs: undefined });
  });
});

describe('readRetryAfter', () => {
  const values: readonly (readonly [value: string | undefined, ms: number | undefined])[] = [
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['999999999', 999_999_999_000],
    ['9999999999', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['120 seconds', undefined],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Monday, 23-Nov-26 12:01:00 GMT', 60_000],
    ['Mon Nov 23 12:02:00 2026', undefined],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['Mon, 99 Nov 2026 11:00:00 GMT', undefined],
  ];
  for (const [value, ms] of values) {
    it(`reads ${value === undefined ? 'none' : `"${value}"`} as ${ms === undefined ? 'nothing' : `${ms} ms`}`, () =>
      assert.equal(readRetryAfter(value, NOW), ms));
  }
});
