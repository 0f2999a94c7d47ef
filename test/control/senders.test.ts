import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CreatedSender, ListedSender, SenderCredential } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { BANK } from '../management-group/rig.ts';
import { createControlRig } from './rig.ts';

const CLIENT = 'bbbbbbbb-0000-4000-8000-000000000002';

describe('the commands about senders', () => {
  it('make one, of a workspace by its name or id, and show its secret once', async () => {
    await using rig = await createControlRig();
    const made = await ask<CreatedSender>(rig.socket, 'POST', '/senders', { name: 'web90', workspaceId: 'bank' });
    const own = await ask<CreatedSender>(rig.socket, 'POST', '/senders', { name: 'web91', workspaceId: BANK, clientId: CLIENT, secret: 'throw-away-secret' });
    assert.equal(own.sender.clientId, CLIENT);
    const listed = await ask<ListedSender[]>(rig.socket, 'GET', '/senders');
    assert.deepEqual(
      listed.map(({ name, state, workspaceId }) => [name, state, workspaceId]),
      [
        ['web90', 'approved', BANK],
        ['web91', 'approved', BANK],
      ],
    );
    assert.ok(!JSON.stringify(listed).includes(made.secret) && !JSON.stringify(listed).includes('throw-away-secret'));
    assert.deepEqual(
      rig.entries.map(({ action, on, result }) => [action, on, result]),
      [
        ['sender.create', 'web90', 'done'],
        ['sender.create', 'web91', 'done'],
      ],
    );
    assert.ok(!JSON.stringify(rig.entries).includes(made.secret));
  });

  for (const [what, body, message] of [
    ['a workspace that is not configured', { name: 'a', workspaceId: '99999999-9999-4999-8999-999999999999' }, /not configured/],
    ['a name with blanks', { name: 'a b', workspaceId: 'bank' }, /a name is/],
    ['a client id that is none', { name: 'a', workspaceId: 'bank', clientId: 'x' }, /GUID/],
    ['a short secret', { name: 'a', workspaceId: 'bank', secret: 'short' }, /secret/],
    ["an agent's name", { name: 'db01', workspaceId: 'bank' }, /already/],
  ] as const) {
    it(`refuse ${what}`, async () => {
      await using rig = await createControlRig();
      await assert.rejects(ask(rig.socket, 'POST', '/senders', body), { message });
      assert.deepEqual(await ask(rig.socket, 'GET', '/senders'), []);
    });
  }

  it('give another secret, and show what a sender is configured with, which is entered', async () => {
    await using rig = await createControlRig();
    await ask(rig.socket, 'POST', '/senders', { name: 'web90', workspaceId: 'bank' });
    const { secret } = await ask<CreatedSender>(rig.socket, 'POST', '/senders/web90/rotate', { graceMs: 0 });
    const credential = await ask<SenderCredential>(rig.socket, 'GET', '/senders/WEB90/credential');
    assert.deepEqual([credential.secret, credential.workspaceId, credential.domain, credential.port], [secret, BANK, 'relay.test', 8443]);
    assert.match(credential.roots, /BEGIN CERTIFICATE/);
    await assert.rejects(ask(rig.socket, 'GET', '/senders/nobody/credential'), { message: /relay senders list/ });
    assert.deepEqual(
      rig.entries.map(({ action, on, result }) => [action, on, result]),
      [
        ['sender.create', 'web90', 'done'],
        ['sender.rotate', 'web90', 'done'],
        ['sender.show-secret', 'WEB90', 'done'],
        ['sender.show-secret', 'nobody', 'refused'],
      ],
    );
  });
});
