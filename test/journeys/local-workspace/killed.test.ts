import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BANK, type TestAgent, temporaryFolder } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { seeded } from '../../support/seeded.ts';
import { type Life, prepareLife, type Sent, sendUntilGone, wrongCounts } from './life.ts';
import { foundIn, openedFiles } from './opened-files.ts';
import { agentOf, sendSyslog } from './senders.ts';

const SENDERS = 4;
const ROUNDS = 4;
const COUNTS = 'Syslog | summarize count() by SyslogMessage';

async function startLife(t: TestContext): Promise<{ readonly life: Life; readonly agent: TestAgent }> {
  const life = await prepareLife(await temporaryFolder(t));
  t.after(() => life.kill());
  await life.start();
  return { life, agent: await agentOf(life, BANK) };
}

/** Does it again and again until the process is gone; how often it was done. */
async function untilGone(action: () => Promise<unknown>): Promise<number> {
  for (let done = 0; ; done += 1) {
    try {
      await action();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'relay.control.not-running' || code === 'relay.control.no-answer') return done;
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
    const rotating = untilGone(() => life.operator('POST', `/workspaces/${BANK}/key/rotate`, {}));
    await eventually('some are taken', () => sent.acknowledged.length >= enough);
    await life.kill();
    await sending;
    assert.ok((await rotating) > 0, 'it was rotated');
    await life.start();
    assert.deepEqual(wrongCounts(await life.rows(COUNTS), sent), [], `after round ${round}`);
  }
});

test('killed while it purges: no purged row comes back, no other goes, and nothing purged stays in a file', async (t) => {
  const { life, agent } = await startLife(t);
  const chance = seeded(4713);
  const kept: Sent = { acknowledged: [], unanswered: [] };
  const gone: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Four segments, each with some of both.
    for (let at = 0; at < 4; at += 1) {
      const [stays, goes] = [`kept-${round}-${at}-`, `gone-${round}-${at}-`];
      assert.equal((await sendSyslog(life, agent, [stays, goes])).status, 200);
      kept.acknowledged.push(stays);
      gone.push(goes);
      await life.rows('Syslog | count');
    }
    const asked = { table: 'Syslog', filters: [{ column: 'SyslogMessage', operator: 'in', value: gone.slice(-4) }] };
    const { operationId } = (await life.operator('POST', `/workspaces/${BANK}/purge`, asked)) as { operationId: string };
    const until = chance() * 30;
    const began = performance.now();
    while (performance.now() - began < until) await life.operator('GET', '/fault');
    await life.kill();
    await life.start();
    await eventually('the purge is completed', async () => {
      const { status } = (await life.operator('GET', `/workspaces/${BANK}/operations/${operationId}`)) as { status: string };
      return status === 'completed';
    });
    assert.deepEqual(wrongCounts(await life.rows(COUNTS), kept), [], `after round ${round}`);
  }
  await life.kill();
  await life.start();
  assert.deepEqual(wrongCounts(await life.rows(COUNTS), kept), []);
  await eventually(
    'no file has a purged word',
    async () => {
      const found = foundIn(await openedFiles(life, BANK), gone);
      return found.segments === 0 && found.staged === 0;
    },
    10_000,
  );
});
