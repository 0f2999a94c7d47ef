import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { withNewKey } from '../../src/workspace/key-ring.ts';
import type { AgentId } from '../../src/workspace/workspace-id.ts';
import { BANK, createGroupRig, PLANT } from './rig.ts';

const CLIENT = 'bbbbbbbb-0000-4000-8000-000000000002' as AgentId;
const HOUR_MS = 3_600_000;

describe('a sender', () => {
  it('is an approved agent, known by its id or its name and its secret, after a restart too', async () => {
    await using rig = await createGroupRig();
    const { sender, secret } = rig.group.senders.create({ name: 'web01', workspaceId: BANK });
    const { agentId } = sender.agent;
    assert.match(secret, /^[A-Za-z0-9]{64}$/);
    assert.equal(Buffer.from(secret, 'base64').toString('base64'), secret);
    for (const { senders, registry } of [rig.group, rig.reopen()]) {
      assert.equal(registry.get({ workspaceId: BANK, agentId })?.state, 'approved');
      assert.equal(senders.identify(agentId, secret)?.agent.hostName, 'web01');
      assert.equal(senders.identify('WEB01', secret)?.agent.agentId, agentId);
      assert.equal(senders.identifyBySecret(secret)?.agent.agentId, agentId);
      assert.equal(senders.find(BANK, (text) => text === secret)?.agent.agentId, agentId);
      assert.equal(
        senders.find(PLANT, (text) => text === secret),
        undefined,
      );
      for (const wrong of ['', secret.slice(1), `${secret}A`]) {
        assert.equal(senders.identify(agentId, wrong), undefined);
        assert.equal(senders.identifyBySecret(wrong), undefined);
      }
    }
  });

  it('keeps the id and the secret that it has already', async () => {
    await using rig = await createGroupRig();
    const { secret } = rig.group.senders.create({ name: 'old', workspaceId: BANK, clientId: CLIENT, secret: 'throw-away-secret' });
    assert.equal(secret, 'throw-away-secret');
    assert.equal(rig.group.senders.identify(CLIENT, 'throw-away-secret')?.agent.hostName, 'old');
  });

  it('never shares a name or an id with another agent, of whichever workspace', async () => {
    await using rig = await createGroupRig();
    rig.group.senders.create({ name: 'web01', workspaceId: BANK, clientId: CLIENT });
    assert.throws(() => rig.group.senders.create({ name: 'WEB01', workspaceId: PLANT }), { code: 'relay.sender.name-taken' });
    assert.throws(() => rig.group.senders.create({ name: 'web02', workspaceId: PLANT, clientId: CLIENT }), { code: 'relay.sender.id-taken' });
  });

  it('is never in the file in clear', async () => {
    await using rig = await createGroupRig();
    const { secret } = rig.group.senders.create({ name: 'web01', workspaceId: BANK });
    rig.reopen();
    const folder = dirname(rig.path);
    for (const file of await readdir(folder)) assert.ok(!(await readFile(join(folder, file))).includes(secret), file);
  });

  it('gets another secret; the one before ends after the grace', async () => {
    await using rig = await createGroupRig();
    const { sender, secret } = rig.group.senders.create({ name: 'web01', workspaceId: BANK });
    const rotated = rig.group.senders.rotate(sender.agent.agentId, HOUR_MS);
    assert.notEqual(rotated.secret, secret);
    const knows = (text: string): boolean => rig.group.senders.identify('web01', text) !== undefined;
    assert.deepEqual([knows(secret), knows(rotated.secret)], [true, true]);
    rig.clock.advance(HOUR_MS);
    assert.deepEqual([knows(secret), knows(rotated.secret)], [false, true]);
    rig.group.senders.rotate(sender.agent.agentId, 0);
    assert.equal(knows(rotated.secret), false);
    assert.throws(() => rig.group.senders.rotate(CLIENT, 0), { code: 'relay.sender.unknown' });
  });

  it('that is removed leaves no secret behind, and one that is moved keeps its own', async () => {
    await using rig = await createGroupRig();
    const { sender, secret } = rig.group.senders.create({ name: 'web01', workspaceId: BANK });
    rig.group.registry.move(sender.agent, PLANT);
    assert.equal(rig.group.senders.identify('web01', secret)?.agent.workspaceId, PLANT);
    rig.group.registry.remove({ ...sender.agent, workspaceId: PLANT });
    assert.equal(rig.group.senders.identify(sender.agent.agentId, secret), undefined);
    assert.deepEqual(rig.group.senders.list(), []);
    assert.deepEqual(rig.group.sealedWith(), []);
  });

  it('is sealed anew after a rotation of the ring', async () => {
    await using rig = await createGroupRig();
    const keys = rig.ring;
    const { secret } = rig.group.senders.create({ name: 'web01', workspaceId: BANK });
    const before = keys.currentKeyId;
    keys.replace(withNewKey(keys.content(), 0));
    assert.deepEqual(rig.group.sealedWith(), [{ keyId: before, senderSecrets: 1 }]);
    rig.group.reseal();
    assert.deepEqual(rig.group.sealedWith(), [{ keyId: keys.currentKeyId, senderSecrets: 1 }]);
    assert.equal(rig.reopen().senders.identify('web01', secret)?.agent.hostName, 'web01');
  });

  it('goes to another relay of the group with its secret', async () => {
    await using one = await createGroupRig();
    await using other = await createGroupRig();
    const { secret } = one.group.senders.create({ name: 'web01', workspaceId: BANK });
    other.group.senders.create({ name: 'stale', workspaceId: BANK });
    other.group.adoptCopy(one.group.takeCopy());
    assert.equal(other.group.senders.identify('web01', secret)?.agent.hostName, 'web01');
    assert.deepEqual(
      other.group.senders.list().map(({ agent }) => agent.hostName),
      ['web01'],
    );
    const { senderSecrets: _, ...older } = one.group.takeCopy();
    other.group.adoptCopy(older);
    assert.equal(other.group.senders.identify('web01', secret)?.agent.hostName, 'web01', 'a release without senders takes nothing away');
  });
});

describe('the access token of a sender', () => {
  it('names it until its hour is over', async () => {
    await using rig = await createGroupRig();
    const { sender, secret } = rig.group.senders.create({ name: 'web01', workspaceId: BANK });
    const known = rig.group.senders.identify('web01', secret);
    assert.ok(known);
    const token = rig.group.senderTokens.issue(known, HOUR_MS);
    const check = (text: string): unknown => {
      const checked = rig.group.senderTokens.check(text);
      return checked.valid ? checked.agent.agentId : checked.reason.split('.')[0];
    };
    assert.equal(check(token), sender.agent.agentId);
    for (let at = 0; at < token.length; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      assert.equal(check(changed), 'The token is none of this relay, or its secret is not good any more', `character ${at}`);
    }
    for (const strange of ['', '.', '..', 'stub-token-1', `${token}.`, 'a'.repeat(10_000)])
      assert.equal(check(strange), 'The token is none of this relay, or its secret is not good any more');
    rig.clock.advance(HOUR_MS);
    assert.match(String(check(token)), /^The token expired at/);
  });

  it('ends with the secret it was got with, and with its sender', async () => {
    await using rig = await createGroupRig();
    const { sender, secret } = rig.group.senders.create({ name: 'web01', workspaceId: BANK });
    const known = rig.group.senders.identify('web01', secret);
    assert.ok(known);
    const token = rig.group.senderTokens.issue(known, HOUR_MS);
    rig.group.senders.rotate(sender.agent.agentId, 0);
    assert.equal(rig.group.senderTokens.check(token).valid, false);
  });

  it('is as good to every relay of the group, and nothing to a relay of another', async () => {
    await using one = await createGroupRig();
    await using other = await createGroupRig();
    await using stranger = await createGroupRig();
    const { secret } = one.group.senders.create({ name: 'web01', workspaceId: BANK, clientId: CLIENT });
    stranger.group.senders.create({ name: 'web01', workspaceId: BANK, clientId: CLIENT });
    other.group.adoptCopy(one.group.takeCopy());
    const known = one.group.senders.identify(CLIENT, secret);
    assert.ok(known);
    const token = one.group.senderTokens.issue(known, HOUR_MS);
    assert.equal(other.group.senderTokens.check(token).valid, true);
    assert.equal(stranger.group.senderTokens.check(token).valid, false);
  });
});
