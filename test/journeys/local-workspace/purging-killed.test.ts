import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BANK } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { seeded } from '../../support/seeded.ts';
import { type Sent, startLife, wrongCounts } from './life.ts';
import { foundIn, openedFiles } from './opened-files.ts';
import { sendSyslog } from './senders.ts';

const ROUNDS = 3;
const COUNTS = 'Syslog | summarize count() by SyslogMessage';

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
