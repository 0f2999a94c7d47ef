import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkspaceStatus } from '../../../src/local-workspace/assembly/status-routes.ts';
import { askControl } from '../../../src/local-workspace/control/control-client.ts';
import { BANK, onboardedAgent, post, startRig, syslog } from '../rig.ts';

test('processing can be stopped and started again, and a restart goes on by itself: nothing is lost or there twice', async (t) => {
  const first = await startRig(t);
  const agent = await onboardedAgent(first.listening, BANK);
  const rows = async (rig: typeof first): Promise<unknown> => {
    const body = { query: 'Syslog | summarize Rows = count(), Different = dcount(SyslogMessage)' };
    const answer = await askControl(rig.dataFolder, { method: 'POST', path: `/v1/workspaces/${BANK}/query`, body });
    return (answer as { tables: readonly { rows: unknown }[] }).tables[0]?.rows;
  };
  const processing = async (on: boolean): Promise<WorkspaceStatus> =>
    (await askControl(first.dataFolder, { method: 'POST', path: `/workspaces/${BANK}/processing`, body: { on } })) as WorkspaceStatus;
  await post(first.listening, agent.identity, syslog(['one']));
  assert.deepEqual(await rows(first), [[1, 1]]);
  assert.equal((await processing(false)).processing, false);
  assert.equal((await post(first.listening, agent.identity, syslog(['two']))).status, 200);
  assert.deepEqual(await rows(first), [[1, 1]]);
  await processing(true);
  assert.deepEqual(await rows(first), [[2, 2]]);
  await processing(false);
  assert.equal((await post(first.listening, agent.identity, syslog(['three']))).status, 200);
  await first.local.stop();
  const second = await startRig(t, { dataFolder: first.dataFolder });
  assert.deepEqual(await rows(second), [[3, 3]]);
});
