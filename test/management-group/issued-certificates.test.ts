import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fingerprint } from '../../src/authority/x509.ts';
import { revocationOf } from '../../src/management-group/issued-certificates.ts';
import { BANK, certificate, createGroupRig, enrolled, newAgentId, START } from './rig.ts';

const ROOT = 'r'.repeat(64) as Fingerprint;
const GRACE = 1_000;

const RULES = [
  ['the current one of an approved agent', 'approved', undefined, undefined],
  ['one just replaced', 'approved', START - GRACE, undefined],
  ['one replaced longer ago than the grace', 'approved', START - GRACE - 1, { at: START - GRACE - 1, reason: 'superseded' }],
  ["a suspended agent's", 'suspended', undefined, { at: 5, reason: 'held' }],
  ["a suspended agent's that was replaced long ago", 'suspended', START - GRACE - 1, { at: START - GRACE - 1, reason: 'superseded' }],
  ['one of an agent that waits', 'pending', undefined, undefined],
] as const;

describe('revocationOf', () => {
  for (const [what, state, replacedAt, expected] of RULES) {
    it(`says of ${what}: ${expected?.reason ?? 'good'}`, () => {
      assert.deepEqual(revocationOf({ agent: { state, stateSince: 5 }, certificate: { replacedAt } }, START, GRACE), expected);
    });
  }
});

describe('issued certificates', () => {
  it('are revoked when their agent is suspended or removed; removed for good, also after a restart', async () => {
    await using rig = await createGroupRig();
    const { group, clock } = rig;
    const agentId = newAgentId();
    const { fingerprint, notAfter } = certificate('a');
    group.registry.enrol(enrolled(agentId, { state: 'approved' }));
    group.issued.note({ fingerprint, serial: '41', issuer: ROOT, workspaceId: BANK, agentId, notAfter });
    assert.deepEqual(group.issued.revoked(ROOT, GRACE), []);
    group.registry.setState(BANK, agentId, 'suspended', 'stolen');
    assert.deepEqual(group.issued.revoked(ROOT, GRACE), [{ serial: '41', at: START, reason: 'held' }]);
    group.registry.remove({ workspaceId: BANK, agentId });
    const removed = [{ serial: '41', at: START, reason: 'removed' }];
    assert.deepEqual(group.issued.revoked(ROOT, GRACE), removed);
    clock.advance(1_000);
    assert.deepEqual(rig.reopen().issued.revoked(ROOT, GRACE), removed);
    assert.deepEqual(rig.reopen().issued.revoked('s'.repeat(64) as Fingerprint, GRACE), [], "another root's list");
  });

  it('are counted by agent, and forgotten when their time is over', async () => {
    await using rig = await createGroupRig();
    const { group, clock } = rig;
    const agentId = newAgentId();
    for (const name of ['a', 'b', 'c']) {
      group.issued.note({ fingerprint: certificate(name).fingerprint, serial: name, issuer: ROOT, workspaceId: BANK, agentId, notAfter: START + 5_000 });
      clock.advance(1_000);
    }
    assert.equal(group.issued.countSince({ workspaceId: BANK, agentId }, START + 1_000), 2);
    assert.equal(group.issued.countSince({ workspaceId: BANK, agentId: newAgentId() }, 0), 0);
    clock.advance(2_001);
    assert.deepEqual(group.issued.revoked(ROOT, GRACE), []);
    group.issued.note({ fingerprint: certificate('d').fingerprint, serial: 'd', issuer: ROOT, workspaceId: BANK, agentId, notAfter: START + 50_000 });
    assert.equal(group.issued.countSince({ workspaceId: BANK, agentId }, 0), 1);
  });
});

describe('agent keys', () => {
  it('lead to their agent until it is removed, and a token to the first key that came with it', async () => {
    await using rig = await createGroupRig();
    const { registry, agentKeys } = rig.group;
    const [one, other] = [newAgentId(), newAgentId()];
    registry.enrol(enrolled(one, { certificate: undefined }));
    registry.enrol(enrolled(other, { certificate: undefined }));
    agentKeys.note({ workspaceId: BANK, agentId: one, keyHash: 'k1', tokenId: 't1' });
    assert.equal(agentKeys.find(BANK, 'k1')?.agentId, one);
    agentKeys.note({ workspaceId: BANK, agentId: one, keyHash: 'k1', tokenId: undefined });
    assert.equal(agentKeys.ofToken('t1')?.keyHash, 'k1', 'it came with an enrolment key later');
    assert.equal(agentKeys.ofToken('t2'), undefined);
    registry.remove({ workspaceId: BANK, agentId: one });
    agentKeys.note({ workspaceId: BANK, agentId: other, keyHash: 'k2', tokenId: undefined });
    assert.equal(agentKeys.find(BANK, 'k1'), undefined);
    assert.equal(rig.reopen().agentKeys.find(BANK, 'k2')?.agentId, other);
  });
});
