import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { openDatabase } from '../../src/management-group/database.ts';
import { createRegistry } from '../../src/management-group/registry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { BANK, certificate, createGroupRig, enrolled, newAgentId, PLANT, START } from './rig.ts';

describe('the registry', () => {
  it('knows after a restart what it knew before', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const agentId = newAgentId();
    registry.enrol(enrolled(agentId));
    rig.clock.advance(1_000);
    registry.addCertificate({ workspaceId: BANK, agentId }, certificate('b'));
    registry.setState(BANK, agentId, 'suspended', 'stolen');
    registry.update({ workspaceId: BANK, agentId, hostName: 'web02', operatingSystem: 'Debian 13' });
    rig.clock.advance(1_000);
    registry.touch({ workspaceId: BANK, agentId });
    const before = [registry.list(), registry.certificatesOf({ workspaceId: BANK, agentId }), registry.find(certificate('b').fingerprint)];

    const { registry: again } = rig.reopen();
    assert.deepEqual([again.list(), again.certificatesOf({ workspaceId: BANK, agentId }), again.find(certificate('b').fingerprint)], before);
    assert.deepEqual(
      again.list().map(({ state, stateReason, stateSince, hostName, firstSeenAt, lastSeenAt }) => ({
        state,
        stateReason,
        stateSince,
        hostName,
        firstSeenAt,
        lastSeenAt,
      })),
      [{ state: 'suspended', stateReason: 'stolen', stateSince: START + 1_000, hostName: 'web02', firstSeenAt: START, lastSeenAt: START + 2_000 }],
    );
  });

  it('gives a certificate to one agent for good, in whatever workspace', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const [mine, other] = [newAgentId(), newAgentId()];
    assert.equal(registry.enrol(enrolled(mine)), true);
    assert.equal(registry.enrol(enrolled(other)), false);
    assert.equal(registry.enrol(enrolled(mine, { workspaceId: PLANT })), false);
    registry.enrol(enrolled(other, { certificate: certificate('b') }));
    assert.equal(registry.addCertificate({ workspaceId: BANK, agentId: other }, certificate('a')), false);
    assert.equal(registry.find(certificate('a').fingerprint)?.agent.agentId, mine);
    assert.equal(registry.list().length, 2);
  });

  it('marks the certificates before a renewal as replaced, once, and the newest as current', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const agent = { workspaceId: BANK, agentId: newAgentId() };
    registry.enrol(enrolled(agent.agentId));
    for (const name of ['b', 'c']) {
      rig.clock.advance(1_000);
      registry.addCertificate(agent, certificate(name));
    }
    const replaced = (): (number | undefined)[] => ['a', 'b', 'c'].map((name) => registry.find(certificate(name).fingerprint)?.certificate.replacedAt);
    assert.deepEqual(replaced(), [START + 1_000, START + 2_000, undefined]);
    rig.clock.advance(1_000);
    registry.enrol(enrolled(agent.agentId, { certificate: certificate('b') }));
    assert.deepEqual(replaced(), [START + 1_000, undefined, START + 3_000]);
  });

  it('keeps the state of a machine that onboards again, and what it says of itself new', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const agentId = newAgentId();
    registry.enrol(enrolled(agentId));
    registry.setState(BANK, agentId, 'suspended', 'stolen');
    registry.enrol(enrolled(agentId, { state: 'approved', stateReason: 'approved by rule: all', hostName: 'new-name' }));
    const [agent, ...more] = registry.list();
    assert.deepEqual([agent?.state, agent?.stateReason, agent?.hostName, more], ['suspended', 'stolen', 'new-name', []]);
  });

  it('does not know agents that never enrolled', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const nobody = { workspaceId: BANK, agentId: newAgentId() };
    assert.equal(registry.setState(BANK, nobody.agentId, 'approved', ''), undefined);
    registry.touch(nobody);
    registry.update({ ...nobody, hostName: 'x', operatingSystem: 'y' });
    registry.flush();
    assert.deepEqual([registry.find(certificate('a').fingerprint), registry.list()], [undefined, []]);
  });

  it('writes when an agent was last seen once a minute', async () => {
    await using rig = await createGroupRig();
    const agent = { workspaceId: BANK, agentId: newAgentId() };
    rig.group.registry.enrol(enrolled(agent.agentId));
    rig.clock.advance(30_000);
    rig.group.registry.touch(agent);
    assert.deepEqual(rig.clock.waits(), [30_000]);
    rig.clock.advance(30_000);
    assert.equal(rig.reopen().registry.list()[0]?.lastSeenAt, START + 30_000);
  });

  it('tries again to write when agents were seen, if it could not', async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/group.sqlite`;
    const database = openDatabase(path);
    let now = START;
    const registry = createRegistry(database, () => now);
    const agent = { workspaceId: BANK, agentId: newAgentId() };
    registry.enrol(enrolled(agent.agentId));
    now += 5_000;
    registry.touch(agent);
    database.exec('PRAGMA query_only = ON');
    assert.throws(() => registry.flush());
    database.exec('PRAGMA query_only = OFF');
    registry.flush();
    database.close();
    const reader = new DatabaseSync(path);
    assert.deepEqual({ ...reader.prepare('SELECT last_seen_at FROM agents').get() }, { last_seen_at: START + 5_000 });
    reader.close();
  });

  it('does not know a machine whose enrolment could not be written', async () => {
    await using folder = await temporaryFolder();
    const database = openDatabase(`${folder.path}/group.sqlite`);
    const registry = createRegistry(database, () => START);
    const refuse = "CREATE TRIGGER refuse BEFORE INSERT ON certificates BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    database.exec(refuse);
    const machine = enrolled(newAgentId());
    assert.throws(() => registry.enrol(machine), /the disk is full/);
    assert.deepEqual([registry.list(), registry.find(certificate('a').fingerprint), registry.countByState().pending], [[], undefined, 0]);
    database.exec('DROP TRIGGER refuse');
    registry.enrol(machine);
    database.exec(refuse);
    assert.throws(() => registry.addCertificate(machine, certificate('b')), /the disk is full/);
    assert.equal(registry.find(certificate('a').fingerprint)?.certificate.replacedAt, undefined);
    database.close();
  });

  it('forgets a removed agent and its certificates, which another may bring from then on', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const [gone, stays] = [newAgentId(), newAgentId()];
    registry.enrol(enrolled(gone));
    registry.addCertificate({ workspaceId: BANK, agentId: gone }, certificate('b'));
    registry.enrol(enrolled(stays, { certificate: certificate('c'), state: 'approved' }));
    registry.touch({ workspaceId: BANK, agentId: gone });
    assert.equal(registry.remove({ workspaceId: BANK, agentId: gone })?.agentId, gone);
    assert.equal(registry.remove({ workspaceId: BANK, agentId: gone }), undefined);
    const again = rig.reopen().registry;
    for (const known of [registry, again]) {
      assert.deepEqual(
        ['a', 'b', 'c'].map((name) => known.find(certificate(name).fingerprint)?.agent.agentId),
        [undefined, undefined, stays],
      );
      assert.deepEqual([known.countByState(), known.certificatesOf({ workspaceId: BANK, agentId: gone })], [{ pending: 0, approved: 1, suspended: 0 }, []]);
    }
    assert.equal(again.enrol(enrolled(newAgentId())), true);
  });

  it('moves an agent with its state, certificates and figures, and remembers where it enrolled', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const agentId = newAgentId();
    const [atBank, atPlant] = [
      { workspaceId: BANK, agentId },
      { workspaceId: PLANT, agentId },
    ];
    registry.enrol(enrolled(agentId, { state: 'approved', stateReason: 'by hand' }));
    registry.addCertificate(atBank, certificate('b'));
    registry.received({ ...atBank, solution: 'Security', body: Buffer.alloc(10) });
    assert.equal(registry.move(atBank, PLANT).outcome, 'moved');
    assert.deepEqual([registry.move(atBank, PLANT).outcome, registry.get(atBank), registry.certificatesOf(atBank)], ['unknown', undefined, []]);
    const again = rig.reopen().registry;
    const moved = again.find(certificate('b').fingerprint)?.agent;
    assert.deepEqual([moved?.workspaceId, moved?.state, moved?.stateReason, moved?.movedFrom, moved?.receivedBatches], [PLANT, 'approved', 'by hand', BANK, 1]);
    assert.deepEqual(
      again
        .certificatesOf(atPlant)
        .map(({ fingerprint }) => fingerprint)
        .sort(),
      ['a', 'b'].map((name) => certificate(name).fingerprint),
    );
    assert.deepEqual([again.countByState(BANK).approved, again.countByState(PLANT).approved, again.countByState().approved], [0, 1, 1]);
    const back = again.move(atPlant, BANK);
    assert.deepEqual(back.outcome === 'moved' && back.agent.movedFrom, undefined);
  });

  it('moves no agent to where one with its id is already', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const agentId = newAgentId();
    registry.enrol(enrolled(agentId));
    registry.enrol(enrolled(agentId, { workspaceId: PLANT, certificate: certificate('b') }));
    assert.deepEqual(registry.move({ workspaceId: BANK, agentId }, PLANT), { outcome: 'taken' });
    assert.equal(registry.list().length, 2);
  });

  it('keeps a display name until it is taken away', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const agent = { workspaceId: BANK, agentId: newAgentId() };
    registry.enrol(enrolled(agent.agentId));
    assert.equal(registry.rename(agent, 'till 7')?.displayName, 'till 7');
    registry.enrol(enrolled(agent.agentId, { hostName: 'new-name' }));
    const again = rig.reopen().registry;
    assert.deepEqual([again.get(agent)?.displayName, again.get(agent)?.hostName], ['till 7', 'new-name']);
    assert.equal(again.rename(agent, undefined)?.displayName, undefined);
    assert.equal(again.rename({ ...agent, workspaceId: PLANT }, 'x'), undefined);
  });

  it('counts what came from an agent and of which solutions, on disk once a minute', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const agent = { workspaceId: BANK, agentId: newAgentId() };
    registry.enrol(enrolled(agent.agentId));
    for (const solution of ['Security', 'LogManagement', 'Security', '']) registry.received({ ...agent, solution, body: Buffer.alloc(100) });
    rig.clock.advance(60_000);
    const { receivedBatches, receivedBytes, solutions } = rig.reopen().registry.get(agent) ?? assert.fail('it is gone');
    assert.deepEqual([receivedBatches, receivedBytes, solutions], [4, 400, { Security: START, LogManagement: START }]);
  });

  it('keeps what an agent said of its software until it says otherwise', async () => {
    await using rig = await createGroupRig();
    const { registry } = rig.group;
    const report = { workspaceId: BANK, agentId: newAgentId(), hostName: 'web01', operatingSystem: 'Debian 12' };
    registry.enrol(enrolled(report.agentId, { version: 'LinuxMonitoringAgent/1.19.0-0' }));
    registry.update(report);
    assert.equal(registry.get(report)?.version, 'LinuxMonitoringAgent/1.19.0-0');
    registry.update({ ...report, version: 'RelayAgent/1.0.0' });
    assert.equal(rig.reopen().registry.get(report)?.version, 'RelayAgent/1.0.0');
  });

  it('finds one of 5000 agents as quickly as one of five', async () => {
    await using folder = await temporaryFolder();
    const database = openDatabase(`${folder.path}/group.sqlite`);
    database.exec('PRAGMA synchronous = OFF');
    const registry = createRegistry(database, () => START);
    for (let at = 0; at < 5_000; at += 1) registry.enrol(enrolled(newAgentId(), { certificate: certificate(`c${at}x`) }));
    let found = 0;
    for (let round = 0; round < 100_000; round += 1) if (registry.find(certificate(`c${round % 5_000}x`).fingerprint)) found += 1;
    assert.equal(found, 100_000);
    database.close();
  });
});
