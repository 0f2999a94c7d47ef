import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BANK } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { seeded } from '../../support/seeded.ts';
import { type Sent, sendUntilGone, startLife, wrongCounts } from './life.ts';
import { sendSyslog } from './senders.ts';

const SENDERS = 4;
const ROUNDS = 3;
const COUNTS = 'Syslog | summarize count() by SyslogMessage';

/** Does it again and again until the process is gone. */
async function untilGone(action: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await action();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'relay.control.not-running' || code === 'relay.control.no-answer') return;
      throw error;
    }
  }
}

test('killed while it takes data and puts it in its tables: what was acknowledged is there once', async (t) => {
  const { life, agent } = await startLife(t);
  const chance = seeded(4711);
  const sent: Sent = { acknowledged: [], unanswered: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const enough = sent.acknowledged.length + 5 + Math.floor(chance() * 200);
    const sending = Array.from({ length: SENDERS }, (_, at) => sendUntilGone((word) => sendSyslog(life, agent, [word]), `r${round}-${at}`, sent));
    // Each question makes segments of what is under way.
    const asking = untilGone(() => life.rows('Syslog | count'));
    await eventually('some are taken', () => sent.acknowledged.length >= enough);
    await life.kill();
    await Promise.all([asking, ...sending]);
    await life.start();
    assert.deepEqual(wrongCounts(await life.rows(COUNTS), sent), [], `after round ${round}`);
  }
  assert.ok(sent.acknowledged.length > 50);
  const [count] = (await life.operator('GET', `/count?workspace=${BANK}`)) as readonly [{ readonly records: number }];
  const [[rows]] = (await life.rows('Syslog | count')) as [[number]];
  assert.equal(count.records, rows, 'as many receipts as rows');
});

test('killed while its key is rotated: everything opens, and new data is taken', async (t) => {
  const { life, agent } = await startLife(t);
  const chance = seeded(4712);
  const sent: Sent = { acknowledged: [], unanswered: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const enough = sent.acknowledged.length + 5 + Math.floor(chance() * 60);
    const sending = sendUntilGone((word) => sendSyslog(life, agent, [word]), `r${round}`, sent);
    let rotated = 0;
    const rotating = untilGone(async () => {
      await life.operator('POST', `/workspaces/${BANK}/key/rotate`, {});
      rotated += 1;
    });
    await eventually('some are taken, and it was rotated', () => sent.acknowledged.length >= enough && rotated > 0);
    await life.kill();
    await Promise.all([sending, rotating]);
    await life.start();
    assert.deepEqual(wrongCounts(await life.rows(COUNTS), sent), [], `after round ${round}`);
  }
});
