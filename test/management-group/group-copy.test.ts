import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ManagementGroup } from '../../src/management-group/management-group.ts';
import { BANK, certificate, createGroupRig, enrolled, type GroupRig, newAgentId, PLANT } from './rig.ts';

const HOUR_MS = 3_600_000;

/** As it travels. */
function handOn(from: ManagementGroup, to: ManagementGroup): ReturnType<ManagementGroup['adoptCopy']> {
  return to.adoptCopy(JSON.parse(JSON.stringify(from.takeCopy())) as ReturnType<ManagementGroup['takeCopy']>);
}

async function twoGroups(): Promise<AsyncDisposable & { readonly from: GroupRig; readonly to: GroupRig }> {
  const [from, to] = [await createGroupRig(), await createGroupRig()];
  return {
    from,
    to,
    async [Symbol.asyncDispose]() {
      await from[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
    },
  };
}

describe('a copy of the management group', () => {
  it('makes another relay know the same agents by the same certificates, after its next start too', async () => {
    await using two = await twoGroups();
    const [web, db] = [newAgentId(), newAgentId()];
    two.from.group.registry.enrol(enrolled(web, { state: 'approved', certificate: certificate('a') }));
    two.from.group.registry.enrol(enrolled(db, { workspaceId: PLANT, hostName: 'db01', certificate: certificate('b') }));
    assert.equal(handOn(two.from.group, two.to.group).agentsPut, 2);
    for (const { registry } of [two.to.group, two.to.reopen()]) {
      assert.deepEqual(registry.find(certificate('a').fingerprint)?.agent, two.from.group.registry.find(certificate('a').fingerprint)?.agent);
      assert.deepEqual(registry.countByState(), { pending: 1, approved: 1, suspended: 0 });
      assert.deepEqual(
        registry.certificatesOf({ workspaceId: PLANT, agentId: db }).map(({ fingerprint }) => fingerprint),
        [certificate('b').fingerprint],
      );
    }
  });

  it('brings a suspension, ends its certificates, and tells of it; nothing is told when nothing has changed', async () => {
    await using two = await twoGroups();
    const agentId = newAgentId();
    two.from.group.registry.enrol(enrolled(agentId, { state: 'approved' }));
    handOn(two.from.group, two.to.group);
    let told = 0;
    two.to.group.registry.onStanding(() => {
      told += 1;
    });
    two.from.group.registry.setState(BANK, agentId, 'suspended', 'stolen');
    assert.deepEqual(handOn(two.from.group, two.to.group), { agentsPut: 1, agentsGone: 0, ended: [certificate('a').fingerprint] });
    assert.equal(two.to.group.registry.get({ workspaceId: BANK, agentId })?.stateReason, 'stolen');
    assert.equal(told, 1);
    const writes = two.to.group.writes();
    assert.deepEqual(handOn(two.from.group, two.to.group), { agentsPut: 0, agentsGone: 0, ended: [] });
    assert.deepEqual([told, two.to.group.writes()], [1, writes]);
  });

  it('leaves alone what each relay has counted itself, also of an agent that was moved', async () => {
    await using two = await twoGroups();
    const agentId = newAgentId();
    two.from.group.registry.enrol(enrolled(agentId, { state: 'approved' }));
    handOn(two.from.group, two.to.group);
    two.to.clock.advance(HOUR_MS);
    two.to.group.registry.touch({ workspaceId: BANK, agentId });
    two.to.group.registry.received({ workspaceId: BANK, agentId, solution: 'LogManagement', body: Buffer.alloc(10) });
    two.from.group.registry.rename({ workspaceId: BANK, agentId }, 'front');
    handOn(two.from.group, two.to.group);
    const renamed = two.to.group.registry.get({ workspaceId: BANK, agentId });
    assert.deepEqual([renamed?.displayName, renamed?.receivedBatches, renamed?.receivedBytes, renamed?.lastSeenAt], ['front', 1, 10, two.to.clock.now()]);

    two.from.group.registry.move({ workspaceId: BANK, agentId }, PLANT);
    const { ended } = handOn(two.from.group, two.to.group);
    assert.deepEqual(ended, [], 'its certificate is as good as before');
    const moved = two.to.group.registry.find(certificate('a').fingerprint)?.agent;
    assert.deepEqual([moved?.workspaceId, moved?.movedFrom, moved?.receivedBatches, moved?.lastSeenAt], [PLANT, BANK, 1, two.to.clock.now()]);
    assert.equal(two.to.group.registry.get({ workspaceId: BANK, agentId }), undefined);
  });

  it('takes away what only the other relay knew', async () => {
    await using two = await twoGroups();
    two.to.group.registry.enrol(enrolled(newAgentId(), { state: 'approved', certificate: certificate('z') }));
    two.to.group.enrolmentKeys.create({ name: 'own', workspaceId: BANK });
    assert.deepEqual(handOn(two.from.group, two.to.group), { agentsPut: 0, agentsGone: 1, ended: [certificate('z').fingerprint] });
    assert.equal(two.to.group.registry.find(certificate('z').fingerprint), undefined);
    assert.deepEqual(two.to.group.enrolmentKeys.list(), []);
  });

  it('brings keys and tokens by which machines can enrol there, sealed with that relay’s own keys', async () => {
    await using two = await twoGroups();
    const { secret } = two.from.group.enrolmentKeys.create({ name: 'web', workspaceId: BANK, maxUses: 3 });
    const token = two.from.group.tokens.create({ workspaceId: BANK, expiresAt: two.from.clock.now() + HOUR_MS });
    const agentId = newAgentId();
    two.from.group.agentKeys.note({ workspaceId: BANK, agentId, keyHash: 'f'.repeat(64), tokenId: undefined });
    handOn(two.from.group, two.to.group);
    assert.deepEqual(
      two.to.group.enrolmentKeys.usable(BANK).map(({ key }) => key.toString('base64')),
      [secret],
    );
    assert.deepEqual(two.to.group.enrolmentKeys.sealedWith(), [two.to.ring.currentKeyId]);
    assert.equal(two.to.group.tokens.check(token.secret)?.id, token.token.id);
    assert.equal(two.to.group.agentKeys.find(BANK, 'f'.repeat(64))?.agentId, agentId);

    two.from.group.enrolmentKeys.revoke('web');
    two.from.group.tokens.redeem(token.token.id);
    handOn(two.from.group, two.to.group);
    assert.deepEqual(two.to.group.enrolmentKeys.usable(BANK), []);
    assert.equal(two.to.group.tokens.check(token.secret), undefined);
  });

  it('is taken over whole or not at all', async () => {
    await using two = await twoGroups();
    const agentId = newAgentId();
    two.from.group.registry.enrol(enrolled(agentId, { state: 'approved' }));
    const copy = two.from.group.takeCopy();
    const broken = { ...copy, tokens: [{ id: 'one' }] };
    assert.throws(() => two.to.group.adoptCopy(broken));
    assert.deepEqual(two.to.group.registry.all(), []);
    assert.deepEqual(two.to.reopen().registry.all(), []);
  });
});
