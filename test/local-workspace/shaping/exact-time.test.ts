import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readExactTime } from '../../../src/local-workspace/shaping/exact-time.ts';
import { seeded } from '../../support/seeded.ts';

test('a time as toISOString writes it is read as Date reads it, whatever day it is', () => {
  const random = seeded(11);
  for (let at = 0; at < 20_000; at += 1) {
    const ms = Math.floor((random() * 400 - 100) * 365.25 * 86_400_000);
    assert.equal(readExactTime(new Date(ms).toISOString()), ms);
  }
  for (const edge of [
    '2024-02-29T23:59:59.999Z',
    '2000-02-29T00:00:00.000Z',
    '1970-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
    '0100-01-01T00:00:00.000Z',
  ])
    assert.equal(readExactTime(edge), Date.parse(edge), edge);
});

test('what toISOString would not write is no exact time', () => {
  const others = [
    '2026-02-29T00:00:00.000Z',
    '2100-02-29T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-01T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
    '2026-04-00T00:00:00.000Z',
    '2026-11-29T24:00:00.000Z',
    '2026-11-29T23:60:00.000Z',
    '2026-11-29T23:59:60.000Z',
    '2026-11-29T23:59:59.99aZ',
    '2026-11-29 23:59:59.999Z',
    '2026-11-29T23:59:59.999z',
    '2026-11-29T23:59:59Z',
    '2026-11-29T23:59:59.9999Z',
    '+02026-11-29T23:59:59.99Z',
    '',
  ];
  for (const other of others) assert.equal(readExactTime(other), undefined, other);
});
