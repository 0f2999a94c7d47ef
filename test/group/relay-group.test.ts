import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { readJoinToken, writeJoinToken } from '../../src/group/join-token.ts';
import { openMemberIdentity } from '../../src/group/member-identity.ts';
import { onboardingHeaders } from '../../src/oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH } from '../../src/oms-protocol/paths.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { plainSecrets } from '../../src/own-secrets.ts';
import { enrolAgent as enrolIn, send } from '../intake/rig.ts';
import { BANK, certificate, enrolled, newAgentId } from '../management-group/rig.ts';
import { eventually } from '../support/eventually.ts';
import { type GroupSide, joinTogether, startSide } from './rig.ts';

const codeIs = (code: string) => (error: Error & { code?: string }) => {
  assert.equal(error.code, code, error.message);
  return true;
};

async function hasNewest(side: GroupSide): Promise<void> {
  await eventually(`${side.name} has the newest copy`, () => side.group.status()?.members.find(({ isSelf }) => isSelf)?.copy === 'newest');
}

/** An OMS agent's onboarding, at this relay. */
async function onboard(at: GroupSide, key: string): Promise<{ readonly status: number; readonly text: string }> {
  const agentId = newAgentId();
  const identity = await createAgentIdentity(BANK, agentId, Date.now(), 90);
  const request = { hostName: 'web01', agentId, certificate: fromPem(identity.certificate), operatingSystem: 'Debian 12' };
  const body = Buffer.from(writeTopologyRequest(request));
  return await send(at.port, identity, {
    path: TOPOLOGY_PATH,
    headers: onboardingHeaders(BANK, Buffer.from(key, 'base64'), body, new Date().toISOString()),
    body,
  });
}

describe('a relay that joins a group', () => {
  it('has its root, agents, keys and routes at once, and what changes later within moments', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    const agentId = newAgentId();
    one.managementGroup.registry.enrol(enrolled(agentId, { state: 'approved' }));
    const { secret } = one.managementGroup.enrolmentKeys.create({ name: 'web', workspaceId: BANK });
    await one.routing.say({ solution: 'Performance counters' }, { everyMs: 5_000 });
    await joinTogether(one, two);
    assert.equal(two.authority.rootFingerprint, one.authority.rootFingerprint);
    assert.equal(two.managementGroup.registry.find(certificate('a').fingerprint)?.agent.agentId, agentId);
    assert.deepEqual(
      two.managementGroup.enrolmentKeys.usable(BANK).map(({ key }) => key.toString('base64')),
      [secret],
    );
    assert.equal(two.routing.list()[0]?.everyMs.value, one.routing.list()[0]?.everyMs.value);
    assert.equal(two.routing.said().length, 1);
    assert.deepEqual([one.group.status()?.role, two.group.status()?.role, two.group.status()?.primary.name], ['primary', 'member', 'one']);

    await hasNewest(two);
    one.managementGroup.registry.setState(BANK, agentId, 'suspended', 'stolen');
    await eventually('the suspension is known', () => two.managementGroup.registry.get({ workspaceId: BANK, agentId })?.state === 'suspended');
    await one.authority.rotate(86_400_000);
    await eventually('the next root is known', () => two.authority.describe().length === 2);
    await one.authority.finish();
    await eventually(
      'the new root signs there too',
      () => two.authority.rootFingerprint === one.authority.rootFingerprint && two.authority.describe().length >= 1,
    );
    await hasNewest(two);
    await one.routing.takeBack({ solution: 'Performance counters' });
    await eventually('what was taken back is gone', () => two.routing.said().length === 0);
  });

  it('sends nothing to whoever does not show the root that the token names', async () => {
    await using one = await startSide('one');
    await using stranger = await startSide('stranger');
    await using two = await startSide('two');
    await one.group.steering.init('one', one.address);
    await stranger.group.steering.init('stranger', stranger.address);
    const { token } = await one.group.steering.createToken();
    const misled = writeJoinToken({ ...readJoinToken(token), address: stranger.address });
    await assert.rejects(two.group.steering.join(misled, { name: 'two', address: two.address }), codeIs('relay.group.untrusted'));
    assert.deepEqual(stranger.entries, []);
    assert.equal(two.state.current(), undefined);
  });

  it('is not let in by a token that was used, or is too old by its own clock; guessing ends after a few tries', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    await using three = await startSide('three');
    await using late = await startSide('late', 16 * 60_000);
    await one.group.steering.init('one', one.address);
    const { token } = await one.group.steering.createToken();
    await assert.rejects(late.group.steering.join(token, { name: 'late', address: late.address }), codeIs('relay.group.bad-token'));
    await two.group.steering.join(token, { name: 'two', address: two.address });
    const again = (): Promise<void> => three.group.steering.join(token, { name: 'three', address: three.address });
    for (let tries = 0; tries < 3; tries += 1) await assert.rejects(again(), /403.*unknown, used, or older/);
    await assert.rejects(again(), /429.*Too many attempts/);
    assert.deepEqual(
      one.entries.map(({ action, result }) => `${action} ${result}`),
      ['group.join done', 'group.join refused', 'group.join refused', 'group.join refused'],
    );
  });

  it('must have no agents of its own, and no group', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    two.managementGroup.registry.enrol(enrolled(newAgentId()));
    await assert.rejects(joinTogether(one, two), codeIs('relay.group.not-fresh'));
    const { token } = await one.group.steering.createToken();
    await assert.rejects(one.group.steering.join(token, { name: 'x', address: one.address }), codeIs('relay.group.has-group'));
  });
});

describe('relays of a group', () => {
  it('answer nobody who is none of them, though agents of the group have certificates of the same root', async () => {
    await using one = await startSide('one');
    await one.group.steering.init('one', one.address);
    const agent = await enrolIn({ group: one.managementGroup, clock: { now: Date.now } as never });
    for (const identity of [undefined, agent.identity]) {
      for (const [method, path] of [
        ['GET', '/group/v1/snapshot'],
        ['GET', '/group/v1/heard'],
        ['POST', '/group/v1/primary'],
        ['POST', '/group/v1/hand-over'],
        ['POST', '/group/v1/certificate'],
        ['POST', '/group/v1/forward'],
        ['POST', '/group/v1/leave'],
      ] as const) {
        const { status, text } = await send(one.port, identity, { method, path, body: method === 'GET' ? '' : '{}' });
        assert.equal(status, 403, path);
        assert.match(text, /relay\.group\.not-a-member/);
      }
    }
  });

  it('hand enrolments on to the primary, which judges them by the address and certificate that they came with', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    const { secret } = one.managementGroup.enrolmentKeys.create({ name: 'web', workspaceId: BANK });
    await joinTogether(one, two);
    await hasNewest(two);
    const { status } = await onboard(two, secret);
    assert.equal(status, 200);
    assert.deepEqual(two.managementGroup.registry.all(), one.managementGroup.registry.all(), 'known on both before it was answered');
    assert.equal(one.managementGroup.enrolmentKeys.list()[0]?.uses, 1);
    const [entry] = one.entries.filter(({ action }) => action === 'agent.enrol');
    assert.equal(entry?.from, '127.0.0.1');

    const wrong = Buffer.alloc(64, 'wrong').toString('base64');
    for (let tries = 0; tries < 3; tries += 1) assert.equal((await onboard(two, wrong)).status, 403);
    assert.equal((await onboard(two, wrong)).status, 429, 'the primary counts bad tries by the machine’s address');
    assert.deepEqual(new Set(two.forwarded), new Set(['answered']));
  });

  it('refuse enrolments while the primary is away, and say when to come back', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    const { secret } = one.managementGroup.enrolmentKeys.create({ name: 'web', workspaceId: BANK });
    await joinTogether(one, two);
    await hasNewest(two);
    await one.stop();
    const { status, text } = await onboard(two, secret);
    assert.equal(status, 503);
    assert.match(text, /relay\.group\.primary-away/);
    assert.deepEqual(two.forwarded, ['away']);
    await eventually('the copy is said to be old', () => two.group.status()?.copy?.trouble !== undefined);
  });

  it('tell each other of the agents that they hear of', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    const agentId = newAgentId();
    one.managementGroup.registry.enrol(enrolled(agentId, { state: 'approved' }));
    await joinTogether(one, two);
    await hasNewest(two);
    one.managementGroup.registry.received({ workspaceId: BANK, agentId, solution: 'LogManagement', body: Buffer.alloc(3) });
    await two.group.askHeard();
    const { lastSeenAt, solutions } = one.managementGroup.registry.get({ workspaceId: BANK, agentId }) ?? {};
    assert.deepEqual(two.group.heardElsewhere({ workspaceId: BANK, agentId }), { seenAt: lastSeenAt, dataAt: solutions?.['LogManagement'] });
  });

  it('refuse one that was removed from its next request on, and that one lets nobody in by itself', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    const { secret } = one.managementGroup.enrolmentKeys.create({ name: 'web', workspaceId: BANK });
    await joinTogether(one, two);
    await hasNewest(two);
    await one.group.steering.remove('two');
    await eventually('it is refused', () => two.group.status()?.copy?.trouble?.includes('none of a relay of the group'));
    assert.equal((await onboard(two, secret)).status, 503);
    assert.deepEqual(two.managementGroup.registry.all(), []);
    await two.group.steering.leave();
    assert.equal(two.group.status(), undefined);
  });

  it('let a member leave, and the primary only as the last', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    await joinTogether(one, two);
    await assert.rejects(one.group.steering.leave(), codeIs('relay.group.is-primary'));
    await two.group.steering.leave();
    assert.deepEqual(
      one.group.status()?.members.map(({ name }) => name),
      ['one'],
    );
    await one.group.steering.leave();
    assert.equal(one.group.status(), undefined);
  });

  it('change parts when a member is promoted: the one before hands over all that it knows', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    await joinTogether(one, two);
    const agentId = newAgentId();
    one.managementGroup.registry.enrol(enrolled(agentId, { state: 'approved' }));
    await two.group.steering.promote(false);
    assert.deepEqual([one.group.status()?.role, two.group.status()?.role, two.group.status()?.term], ['member', 'primary', 2]);
    assert.ok(two.managementGroup.registry.get({ workspaceId: BANK, agentId }), 'what was decided a moment before is not lost');
    await assert.rejects(one.group.steering.createToken(), codeIs('relay.group.not-primary'));
  });

  it('have one primary again when the one before comes back, and what only that one knew is kept aside', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    await joinTogether(one, two);
    await hasNewest(two);
    // Two writes the primary's side alone, as when the network between them is cut.
    await two.state.change((file) => file && { ...file, term: 2, primary: file.id });
    const agentId = newAgentId();
    one.managementGroup.registry.enrol(enrolled(agentId, { state: 'approved' }));
    await eventually('there is one primary', () => one.group.status()?.role === 'member');
    await eventually('it follows the other', () => one.managementGroup.registry.get({ workspaceId: BANK, agentId }) === undefined);
    assert.ok(existsSync(join(one.folder, 'aside-2.sqlite')));
    await eventually('it is settled', () => one.state.current()?.isDisplaced === undefined);
  });

  it('believe a relay that says of itself that it is the primary, and of no other', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    await joinTogether(one, two);
    await hasNewest(two);
    const file = one.state.current();
    const own = await openMemberIdentity(join(two.folder, 'group'), plainSecrets);
    const claim = { term: 9, primary: file?.primary, members: file?.members };
    const { status, text } = await send(one.port, own.current(), { path: '/group/v1/primary', body: JSON.stringify(claim) });
    assert.equal(status, 400);
    assert.match(text, /names another relay as the primary, not itself/);
    assert.equal(one.state.current()?.term, 1);
  });

  it('renew the certificates by which they know each other', async () => {
    await using one = await startSide('one');
    await using two = await startSide('two');
    await joinTogether(one, two);
    await hasNewest(two);
    const before = one.state.current()?.members.map(({ certificates }) => certificates[0]?.fingerprint);
    await one.group.renewNow();
    await two.group.renewNow();
    const after = one.state.current()?.members ?? [];
    assert.deepEqual(
      after.map(({ certificates }) => certificates[1]?.fingerprint),
      before,
      'the one before stays good',
    );
    one.managementGroup.registry.enrol(enrolled(newAgentId(), { state: 'approved' }));
    await eventually('they still know each other', () => two.managementGroup.registry.all().length === 1);
  });
});
