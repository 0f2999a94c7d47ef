import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../src/control/api.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { OWN_QUEUE_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, UPLOAD_HEADERS } from '../support/fleet.ts';
import { runCommand, runWell } from '../support/run-relay.ts';
import { BANK, startSite } from '../support/site.ts';

test('while a workspace is held, a sender with a queue of its own waits, any other is taken; pause, retry-now and resume do what they say', async () => {
  await using site = await startSite({ sections: { retry: { every: '60s', window: '100ms' } } });
  const { relay } = site;
  const { local } = site.upstream();
  const [machine] = await site.machines(1);
  assert.ok(machine);
  let sent = 0;
  const upload = async (more: Record<string, string> = {}): Promise<{ readonly status: number; readonly text: string }> => {
    sent += 1;
    return await machine.post(UPLOAD_PATH, { ...UPLOAD_HEADERS, ...more }, createBody(machine.agentId, sent).body);
  };
  const upstream = async (): Promise<Status['cache']['workspaces'][number] | undefined> => (await relay.status()).cache.workspaces[0];
  const cache = (...words: string[]): Promise<string> => runWell(['cache', ...words, '--socket', relay.socket]);

  await local.setFault({ mode: 'error' });
  assert.equal((await upload()).status, 200);
  await eventually('the workspace rests', async () => (await upstream())?.upstream.state === 'resting');
  await eventually('it is held after the next failure', async () => {
    await cache('retry-now');
    return (await upstream())?.upstream.state === 'held';
  });
  const refused = await upload({ [OWN_QUEUE_HEADER]: 'true' });
  assert.equal(refused.status, 503);
  assert.match(refused.text, /relay\.cache\.held/);
  assert.equal((await upload()).status, 200);

  await cache('pause', '--workspace', BANK);
  await local.setFault({ mode: 'none' });
  await cache('retry-now');
  assert.match(await cache('status'), /held, paused/);
  assert.equal(local.batchIds(BANK).length, 0);
  assert.match(await cache('resume'), /resumed/);
  await eventually('both are delivered', () => local.batchIds(BANK).length === 2);
  assert.equal((await upstream())?.upstream.state, 'awake');
  assert.equal((await upload({ [OWN_QUEUE_HEADER]: 'true' })).status, 200);

  await eventually('this one too', () => local.batchIds(BANK).length === 3);

  await local.setFault({ mode: 'error' });
  assert.equal((await upload()).status, 200);
  await eventually('the workspace rests', async () => (await upstream())?.upstream.state === 'resting');
  const { code, err } = await runCommand(['cache', 'purge', '--socket', relay.socket]);
  assert.equal(code, 1);
  assert.match(err, /Nothing was deleted/);
  assert.match(await cache('purge', '--yes'), /^1 batches .* were deleted/);
  assert.equal((await upstream())?.groupsWaiting, 0);
  assert.match(await runWell(['losses', 'list', '--socket', relay.socket]), /purged/);
});
