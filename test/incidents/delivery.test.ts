import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../src/incidents/database.ts';
import { createDelivery } from '../../src/incidents/delivery.ts';
import { createIncidentStore } from '../../src/incidents/incident-store.ts';
import type { Notice } from '../../src/incidents/notice.ts';
import { createOutbox, MAX_WAITING } from '../../src/incidents/outbox.ts';
import { createUuid } from '../../src/incidents/uuid.ts';
import { silentLogger } from '../../src/logger.ts';
import { inTransaction } from '../../src/transaction.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createRecordingChannel, HOUR, START, turns } from './rig.ts';

async function createDeliveryRig() {
  const folder = await temporaryFolder();
  const database = openDatabase(join(folder.path, 'incidents.sqlite'), () => {});
  const [store, outbox, channel, clock] = [createIncidentStore(database), createOutbox(database), createRecordingChannel(), createManualClock(START)];
  const disk = { isFull: false };
  const atOnce = (work: () => void): void =>
    inTransaction(database, () => {
      work();
      if (disk.isFull) throw new Error('database or disk is full');
    });
  const delivery = createDelivery({ channel, outbox, enter: store.enter, atOnce, clock, log: silentLogger });
  const notice = (): Notice => ({ delivery: createUuid(randomFillSync), occasion: 'detected' }) as Notice;
  return {
    outbox,
    channel,
    clock,
    delivery,
    disk,
    notice,
    store,
    async [Symbol.asyncDispose]() {
      await delivery.close(0);
      database.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('a notice that was taken while the disk was full is not sent again: only the writing down is', async () => {
  await using rig = await createDeliveryRig();
  rig.outbox.add('webhook', 1, rig.notice(), START);
  rig.disk.isFull = true;
  rig.delivery.wake();
  await turns();
  assert.deepEqual([rig.channel.sent.length, rig.outbox.count('webhook')], [1, 1]);
  for (let minute = 0; minute < 5; minute += 1) {
    rig.clock.advance(60_000);
    await turns();
  }
  rig.disk.isFull = false;
  rig.clock.advance(60_000);
  await turns();
  assert.deepEqual([rig.channel.sent.length, rig.outbox.count('webhook')], [1, 0]);
});

test('the outbox has room for a thousand notices of each channel, and says when it has none', async () => {
  await using rig = await createDeliveryRig();
  for (let count = 0; count < MAX_WAITING; count += 1) assert.equal(rig.outbox.add('mail', 1, rig.notice(), START), true);
  assert.equal(rig.outbox.add('mail', 1, rig.notice(), START), false);
  assert.equal(rig.outbox.add('webhook', 1, rig.notice(), START), true);
});

test('notices come in the order in which they were made', async () => {
  await using rig = await createDeliveryRig();
  const notices = Array.from({ length: 50 }, rig.notice);
  for (const notice of notices) rig.outbox.add('webhook', 1, notice, START);
  rig.delivery.wake();
  rig.delivery.wake();
  await turns();
  assert.deepEqual(
    rig.channel.sent.map(({ delivery }) => delivery),
    notices.map(({ delivery }) => delivery),
  );
});

test('a clock that is set back a year does not hold a notice up for a year', async () => {
  await using rig = await createDeliveryRig();
  rig.channel.answer = { outcome: 'failed', reason: 'away', concerns: 'channel' };
  rig.outbox.add('webhook', 1, rig.notice(), START);
  rig.delivery.wake();
  await turns();
  rig.clock.advance(-365 * 24 * HOUR);
  rig.channel.answer = { outcome: 'sent' };
  rig.delivery.wake();
  await turns();
  assert.equal(rig.channel.sent.length, 1);
});
