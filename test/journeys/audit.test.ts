import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditEntry } from '../../src/audit/line.ts';
import { runCommand, runWell } from '../support/run-relay.ts';
import { BANK, startSite } from '../support/site.ts';

test('every command is entered with who, on what and the result; the log survives kill -9 and shows what somebody changed in it', async () => {
  await using site = await startSite({ sections: { managementGroup: { approve: 'none' } } });
  const { relay } = site;
  const relayCommand = (...words: string[]): Promise<string> => runWell([...words, '--config', relay.configFile]);
  const entries = async (...words: string[]): Promise<AuditEntry[]> => JSON.parse(await relayCommand('audit', 'list', '--json', ...words)) as AuditEntry[];

  await relayCommand('enrolment-key', 'create', '--workspace', BANK, '--name', 'site');
  const [machine] = await site.machines(1);
  assert.ok(machine);
  await relayCommand('agents', 'approve', machine.agentId);
  await relayCommand('agents', 'suspend', machine.agentId, '--reason', 'stolen');
  await relay.end('SIGKILL');
  await relay.start();
  await relayCommand('enrolment-key', 'revoke', 'site');
  await relayCommand('cache', 'pause');
  await relayCommand('cache', 'resume');
  await relayCommand('cache', 'retry-now');
  await relayCommand('cache', 'purge', '--yes');
  await relayCommand('keys', 'rotate');
  assert.equal((await runCommand(['keys', 'forget', 'ffffffff', '--yes', '--config', relay.configFile])).code, 1);

  const me = userInfo().username;
  const ofOperators = (await entries()).filter(({ actor, on }) => actor.kind === 'operator' && !on.startsWith('machines-'));
  const agent = ofOperators.find(({ action }) => action === 'agent.approve')?.on ?? '';
  assert.match(agent, new RegExp(machine.agentId));
  const newKey = ofOperators.find(({ action }) => action === 'key.rotate')?.on;
  assert.deepEqual(
    ofOperators.map(({ actor, action, on, from, result }) => [actor.name, action, on, from, result]),
    [
      [me, 'enrolment-key.create', 'site', 'socket', 'done'],
      [me, 'agent.approve', agent, 'socket', 'done'],
      [me, 'agent.suspend', agent, 'socket', 'done'],
      [me, 'enrolment-key.revoke', 'site', 'socket', 'done'],
      [me, 'cache.pause', BANK, 'socket', 'done'],
      [me, 'cache.resume', BANK, 'socket', 'done'],
      [me, 'cache.retry-now', BANK, 'socket', 'done'],
      [me, 'cache.purge', BANK, 'socket', 'done'],
      [me, 'key.rotate', newKey, 'socket', 'done'],
      [me, 'key.forget', 'ffffffff', 'socket', 'refused'],
    ],
  );
  const enrolled = await entries('--action', 'agent.enrol');
  assert.deepEqual(
    enrolled.map(({ actor, result }) => [actor.kind, actor.name, result]),
    [['agent', machine.agentId, 'done']],
  );
  assert.equal((await entries('--action', 'relay.start')).length, 2);
  assert.deepEqual(await entries('--action', 'relay.stop'), []);

  // With the relay running, and without.
  assert.match(await relayCommand('audit', 'verify'), /lines are as they were written/);
  await relay.end('SIGTERM');
  assert.match(await runWell(['audit', 'verify', '--data', relay.dataFolder]), /lines are as they were written/);
  const folder = join(relay.dataFolder, 'audit');
  const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
  const text = await readFile(join(folder, file), 'utf8');
  await writeFile(join(folder, file), text.replace('stolen', 'bought'));
  const { code, out } = await runCommand(['audit', 'verify', '--data', relay.dataFolder]);
  assert.equal(code, 1);
  assert.match(out, /^changed: line \d+ /);
});
