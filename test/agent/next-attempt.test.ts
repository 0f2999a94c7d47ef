import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer } from '../../src/agent/connection.ts';
import { askedWait, nextStep } from '../../src/agent/next-attempt.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');

function answer(status: number, retryAfter?: string): Answer {
  return { status, retryAfter, text: '' };
}

describe('the next attempt', () => {
  it('follows from the status', () => {
    const steps = [200, 202, 204, 400, 413, 403, 401, 404, 408, 429, 500, 503, 302].map((status) => [
      status,
      nextStep(answer(status), { failures: 1, now: NOW, chance: 0 }).step,
    ]);
    assert.deepEqual(Object.fromEntries(steps), {
      200: 'acknowledged',
      202: 'acknowledged',
      204: 'acknowledged',
      302: 'retry',
      400: 'refused',
      401: 'retry',
      403: 'not-approved',
      404: 'retry',
      408: 'retry',
      413: 'refused',
      429: 'retry',
      500: 'retry',
      503: 'retry',
    });
  });

  it('comes after 1 s, 2 s, 4 s and so on, at most 60 s, when nothing was asked for or nobody answered', () => {
    const waits = [1, 2, 3, 6, 7, 1_000].map((failures) => nextStep(undefined, { failures, now: NOW, chance: 0 }));
    assert.deepEqual(
      waits.map((wait) => 'waitMs' in wait && wait.waitMs),
      [1_000, 2_000, 4_000, 32_000, 60_000, 60_000],
    );
  });

  it('comes when 503 or 429 asked for it, up to a fifth later, and 30 s after a 403', () => {
    assert.deepEqual(nextStep(answer(503, '100'), { failures: 9, now: NOW, chance: 0 }), { step: 'retry', waitMs: 100_000 });
    assert.deepEqual(nextStep(answer(429, '100'), { failures: 9, now: NOW, chance: 1 }), { step: 'retry', waitMs: 120_000 });
    assert.deepEqual(nextStep(answer(500, '100'), { failures: 1, now: NOW, chance: 0 }), { step: 'retry', waitMs: 1_000 });
    assert.deepEqual(nextStep(answer(403), { failures: 9, now: NOW, chance: 0 }), { step: 'not-approved', waitMs: 30_000 });
  });

  it('comes soon after the first 403 of a workspace, which may not have heard of the agent yet', () => {
    const waits = [1, 3, 9].map((failures) => nextStep(answer(403), { failures, now: NOW, chance: 0, from: 'workspace' }));
    assert.deepEqual(
      waits.map((wait) => 'waitMs' in wait && wait.waitMs),
      [1_000, 4_000, 30_000],
    );
  });

  it('reads Retry-After as seconds or a date, from 1 s to 15 minutes', () => {
    const read = ['7', ' 7 ', 'Fri, 02 Jan 2026 03:05:05 GMT', 'Fri, 02 Jan 2026 03:00:00 GMT', '0', '999999', '1.5 days', '', undefined].map((text) =>
      askedWait(text, NOW),
    );
    assert.deepEqual(read, [7_000, 7_000, 60_000, 1_000, 1_000, 900_000, undefined, undefined, undefined]);
  });
});
