import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { server as createServer } from '@hapi/hapi';
import type { Command } from 'commander';
import { accessCommand } from '../../src/commands/local-workspace-access.ts';
import { localWorkspaceAuditCommand } from '../../src/commands/local-workspace-audit.ts';
import { type Access, openAccess } from '../../src/local-workspace/access/access.ts';
import { accessRoutes, whoIsOperator } from '../../src/local-workspace/access/access-routes.ts';
import { type AccessAudit, openAccessAudit } from '../../src/local-workspace/access/audit.ts';
import type { ShownRequest } from '../../src/local-workspace/access/shown-request.ts';
import type { CreatedToken, ShownToken } from '../../src/local-workspace/access/tokens.ts';
import { controlPath } from '../../src/local-workspace/control/control-client.ts';
import { silentLogger } from '../../src/logger.ts';
import { BANK, folderFor, PLANT } from '../local-workspace/access/rig.ts';
import { createManualClock } from '../support/manual-clock.ts';

interface Site {
  readonly data: string;
  readonly access: Access;
  readonly audit: AccessAudit;
}

/** A control socket with the routes of access, as a running local workspace has it. */
async function startSite(t: TestContext): Promise<Site> {
  const data = await folderFor(t);
  const clock = createManualClock();
  const audit = await openAccessAudit({ dataFolder: data, clock, log: silentLogger });
  const isHosted = (id: string): boolean => id === BANK || id === PLANT;
  const access = await openAccess({ dataFolder: data, isHosted, enter: audit.enter, clock, log: silentLogger });
  const control = createServer({ port: controlPath(data), debug: false });
  await control.register(accessRoutes(access, whoIsOperator(access, isHosted)));
  await control.start();
  t.after(async () => {
    await control.stop();
    access.close();
    audit.close();
  });
  return { data, access, audit };
}

async function run(command: (outputFor: (json: boolean) => { json: boolean; line(text: string): void }) => Command, ...words: string[]): Promise<string> {
  const lines: string[] = [];
  const made = command((json) => ({ json, line: (text) => void lines.push(text) }));
  const all = (one: Command): Command[] => [one, ...one.commands.flatMap(all)];
  for (const one of all(made)) one.exitOverride().configureOutput({ writeErr: () => {} });
  await made.parseAsync(words, { from: 'user' });
  return lines.join('\n');
}

const access = (...words: string[]): Promise<string> => run(accessCommand, ...words);

test('a token is made for two workspaces, shown once, listed without its secret and revoked', async (t) => {
  const { data } = await startSite(t);
  const made = await access('tokens', 'create', '--data', data, '--workspace', BANK, PLANT, '--name', 'reports', '--role', 'reader', '--days', '30');
  const [secret = '', sentence = ''] = made.split('\n');
  assert.match(secret, /^rlw_[0-9a-f]{12}_[\w-]{43}$/);
  const [, id = ''] = /^This is token ([0-9a-f]{12}) \(reports, reader\), good until \S+\. It is not shown again\.$/.exec(sentence) ?? [];
  const listed = await access('tokens', 'list', '--data', data, '--workspace', PLANT);
  assert.match(listed, new RegExp(`^ID .*\\n${id} +reports +reader +usable +\\S+ +never +operator$`));
  assert.ok(!listed.includes(secret.slice(17)));
  assert.match(await access('tokens', 'revoke', id, '--data', data, '--workspace', BANK), /is revoked/);
  const states = await Promise.all([BANK, PLANT].map((workspace) => access('tokens', 'list', '--data', data, '--workspace', workspace, '--json')));
  assert.deepEqual(
    states.flatMap((text) => (JSON.parse(text) as ShownToken[]).map(({ state }) => state)),
    ['revoked', 'usable'],
  );
});

test('a request is entered, decided and listed; who entered it cannot approve it', async (t) => {
  const { data, access: gate } = await startSite(t);
  const place = ['--data', data, '--workspace', BANK];
  const token = async (role: string): Promise<CreatedToken> =>
    JSON.parse(await access('tokens', 'create', ...place, '--name', role, '--role', role, '--json')) as CreatedToken;
  const support = await token('support');
  const entered = await access('requests', 'create', ...place, '--support', support.id, '--role', 'reader', '--reason', 'slow', '--for', '90m', '--json');
  const { id, minutes } = JSON.parse(entered) as ShownRequest;
  assert.equal(minutes, 90);
  await assert.rejects(access('requests', 'approve', id, ...place, '--comment', 'x'), { code: 'InsufficientAccessError', message: /nobody approves/ });
  assert.match(await access('requests', 'reject', id, ...place, '--comment', 'not now'), new RegExp(`Request ${id} of support for reader is rejected\\.`));

  const own = gate.authorise({ authorization: `Bearer ${support.secret}`, workspaceId: BANK, action: 'access.request', from: '192.0.2.1', now: Date.now() });
  assert.ok(own.allowed);
  const asked = gate.requests.request(own.actor, BANK, { role: 'reader', reason: 'again', minutes: 60 });
  assert.ok(asked.ok);
  assert.match(await access('requests', 'approve', asked.value.id, ...place, '--comment', 'ok'), /is approved until /);
  assert.match(await access('requests', 'withdraw', asked.value.id, ...place, '--comment', 'enough'), /is withdrawn\./);
  const listed = await access('requests', 'list', ...place);
  assert.match(listed, /withdrawn +again +approved by operator: ok; withdrawn by operator: enough/);
});

test('what is no role, no duration or no workspace of this process is refused', async (t) => {
  const { data } = await startSite(t);
  const place = ['--data', data, '--workspace', BANK];
  const create = ['requests', 'create', ...place, '--support', 'x', '--reason', 'x'];
  for (const words of [
    ['tokens', 'create', ...place, '--name', 'x', '--role', 'root'],
    ['tokens', 'create', ...place, '--name', 'x', '--role', 'reader', '--days', '366'],
    ['tokens', 'create', ...place, '--role', 'reader'],
    [...create, '--role', 'reader', '--for', '25h'],
    [...create, '--role', 'reader', '--for', '30s'],
    [...create, '--role', 'support'],
    ['requests', 'approve', 'ar-1', ...place],
  ]) {
    await assert.rejects(access(...words), { name: 'CommanderError' }, words.join(' '));
  }
  const nowhere = '33333333-3333-4333-8333-333333333333';
  await assert.rejects(access('tokens', 'list', '--data', data, '--workspace', nowhere), { message: new RegExp(`no workspace "${nowhere}"`) });
});

test('the audit log of a local workspace is listed and verified from its files', async (t) => {
  const { data } = await startSite(t);
  const made = await access('tokens', 'create', '--data', data, '--workspace', BANK, '--name', 'reports', '--role', 'owner', '--json');
  const { id, secret } = JSON.parse(made) as CreatedToken;
  const listed = await run(localWorkspaceAuditCommand, 'list', '--data', data, '--action', 'access-token', '--on', BANK);
  assert.match(listed, new RegExp(`operator +access-token\\.create +${BANK} token ${id} +socket +done +reports: owner until`));
  assert.ok(!listed.includes(secret.slice(17)));
  assert.match(await run(localWorkspaceAuditCommand, 'verify', '--data', data), /^2 lines are as they were written/);
});
