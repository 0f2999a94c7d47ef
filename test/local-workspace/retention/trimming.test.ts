import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { createFakeTables, NOW, startRetention } from './rig.ts';

const HOUR_MS = 3_600_000;

test('rows past their retention leave soon after the start and then every hour, and are counted', async (t) => {
  const tables = createFakeTables();
  const { clock, trimmed, close } = await startRetention(t, { tables, settings: { days: 90 } });
  assert.deepEqual(tables.trims, []);
  clock.advance(60_000);
  for (const round of [1, 2, 3]) {
    await eventually(`round ${round}`, () => trimmed.length === round);
    await eventually('the next round is planned', () => clock.waits().length > 0);
    clock.advance(HOUR_MS);
  }
  assert.deepEqual(tables.trims[0], { retention: {}, otherwise: 90, now: NOW + 60_000 });
  assert.deepEqual(tables.trims.map(({ now }) => (now - NOW - 60_000) / HOUR_MS).slice(0, 3), [0, 1, 2]);
  assert.deepEqual(trimmed.slice(0, 3), [7, 7, 7]);
  await close();
  const rounds = tables.trims.length;
  clock.advance(10 * HOUR_MS);
  assert.equal(tables.trims.length, rounds);
});

test('rows leave the fast disk where there is one', async (t) => {
  for (const hasHotFolder of [true, false]) {
    const tables = createFakeTables();
    const { clock, trimmed } = await startRetention(t, { tables, hasHotFolder, settings: { hotDays: 5 } });
    clock.advance(60_000);
    await eventually('the first round', () => trimmed.length === 1 && clock.waits().length > 0);
    assert.deepEqual(tables.cools, hasHotFolder ? [{ hotDays: 5, now: NOW + 60_000 }] : []);
  }
});

test('a round that fails does not end the rounds, and does not keep rows on the fast disk', async (t) => {
  const tables = createFakeTables();
  const { trim } = tables;
  tables.trim = async () => {
    throw new Error('the disk is full');
  };
  const { clock, trimmed } = await startRetention(t, { tables, hasHotFolder: true });
  clock.advance(60_000);
  await eventually('the first round', () => tables.cools.length === 1 && clock.waits().length > 0);
  tables.trim = trim;
  clock.advance(HOUR_MS);
  await eventually('the second round', () => trimmed.length === 1);
});
