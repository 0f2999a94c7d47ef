import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentDetails, CreatedToken, ListedAgent } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { userName } from '../../src/control/operator.ts';
import type { Agent } from '../../src/management-group/agent.ts';
import type { OneTimeToken } from '../../src/management-group/one-time-tokens.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK, PLANT, START } from '../management-group/rig.ts';
import { createControlRig, DB01, WEB01, WEB02 } from './rig.ts';

const HOUR_MS = 3_600_000;

describe('the routes of agents', () => {
  it('list those that fit a filter, with their groups and the end of their certificates', async () => {
    await using rig = await createControlRig();
    rig.group.registry.setState(BANK, parseAgentId(WEB01), 'approved', 'by hand');
    const hosts = async (query: string): Promise<string[]> => (await ask<ListedAgent[]>(rig.socket, 'GET', `/agents?${query}`)).map(({ hostName }) => hostName);
    assert.deepEqual(await hosts('name=web*'), ['web01.example.org', 'web02.example.org']);
    assert.deepEqual(await hosts('name=web*&state=approved'), ['web01.example.org']);
    assert.deepEqual(await hosts('workspace=2222'), []);
    assert.deepEqual(await hosts('silentForMs=1'), []);
    assert.deepEqual(await hosts('group=databases'), ['db01']);
    const [agent] = await ask<ListedAgent[]>(rig.socket, 'GET', '/agents?name=db01');
    assert.deepEqual([agent?.certificateEndsAt, agent?.groups], [START + 90 * 24 * HOUR_MS, ['databases']]);
    await assert.rejects(ask(rig.socket, 'GET', '/agents?state=asleep'), /state: /);
    await assert.rejects(ask(rig.socket, 'GET', '/agents?hostname=web01'), /hostname/);
  });

  it('rename an agent, which is found by that name from then on', async () => {
    await using rig = await createControlRig();
    await ask(rig.socket, 'POST', '/agents/db01/rename', { displayName: ' Ledger ' });
    assert.equal((await ask<AgentDetails>(rig.socket, 'GET', '/agents/ledger')).agent.displayName, 'Ledger');
    await ask(rig.socket, 'POST', '/agents/ledger/rename', {});
    await assert.rejects(ask(rig.socket, 'GET', '/agents/ledger'), /There is no agent/);
    await assert.rejects(ask(rig.socket, 'POST', '/agents/db01/rename', { displayName: 'a\nb' }), /no control characters/);
  });

  it('remove an agent and end its connections', async () => {
    await using rig = await createControlRig();
    assert.equal((await ask<Agent>(rig.socket, 'DELETE', '/agents/db01')).agentId, DB01);
    assert.deepEqual([rig.disconnected, rig.group.registry.list().length], [[DB01], 2]);
    await assert.rejects(ask(rig.socket, 'DELETE', '/agents/db01'), /There is no agent/);
  });

  it('end the connections of an agent that is suspended, not of one that is approved', async () => {
    await using rig = await createControlRig();
    await ask(rig.socket, 'POST', '/agents/db01/approve', {});
    assert.deepEqual(rig.disconnected, []);
    await ask(rig.socket, 'POST', '/agents/db01/suspend', {});
    assert.deepEqual(rig.disconnected, [DB01]);
  });

  it('move an agent only to a workspace of this relay that has none with its id', async () => {
    await using rig = await createControlRig();
    const path = `/agents/${encodeURIComponent(`${BANK}/${WEB02}`)}/move`;
    await assert.rejects(ask(rig.socket, 'POST', path, { workspaceId: '33333333-3333-4333-8333-333333333333' }), /is not configured on this relay/);
    await assert.rejects(ask(rig.socket, 'POST', path, { workspaceId: BANK }), /is in workspace .* already/);
  });

  it('enter each change with who did it, on which agent and how it ended', async () => {
    await using rig = await createControlRig();
    await ask(rig.socket, 'POST', '/agents/web01.example.org/approve', { reason: 'ticket 7' });
    await ask(rig.socket, 'POST', '/agents/web01.example.org/rename', { displayName: 'front' });
    await assert.rejects(ask(rig.socket, 'POST', '/agents/nobody/suspend', {}));
    await ask(rig.socket, 'DELETE', '/agents/front');
    assert.deepEqual(
      rig.entries.map(({ action, on, result }) => [action, on, result]),
      [
        ['agent.approve', WEB01, 'done'],
        ['agent.rename', WEB01, 'done'],
        ['agent.suspend', 'nobody', 'refused'],
        ['agent.remove', WEB01, 'done'],
      ],
    );
    const [first, second] = rig.entries;
    assert.deepEqual([first?.actor, first?.from], [{ kind: 'operator', name: userName() }, 'socket']);
    assert.deepEqual([first?.detail, second?.detail], [`web01.example.org of workspace ${BANK}: ticket 7`, 'web01.example.org, now called front']);
  });
});

describe('the routes of one-time tokens', () => {
  it('make, list and revoke tokens; the list never shows a secret', async () => {
    await using rig = await createControlRig();
    const wanted = { workspaceId: BANK, agentName: 'web03', expiresAt: START + HOUR_MS };
    const { token, secret } = await ask<CreatedToken>(rig.socket, 'POST', '/enrolment-tokens', wanted);
    assert.equal(rig.group.tokens.check(secret)?.id, token.id);
    const listed = await ask<OneTimeToken[]>(rig.socket, 'GET', '/enrolment-tokens');
    assert.deepEqual(listed, [JSON.parse(JSON.stringify(token))]);
    assert.ok(!JSON.stringify([listed, rig.entries]).includes(secret));
    assert.deepEqual(await ask(rig.socket, 'DELETE', '/enrolment-tokens/WEB03'), { revoked: 'WEB03' });
    await assert.rejects(ask(rig.socket, 'DELETE', `/enrolment-tokens/${token.id}`), /no one-time token .* that could still be used/);
    await assert.rejects(ask(rig.socket, 'POST', '/enrolment-tokens', { ...wanted, workspaceId: PLANT }), /is not configured on this relay/);
    await assert.rejects(ask(rig.socket, 'POST', '/enrolment-tokens', { ...wanted, agentName: 'two words' }), /agentName: /);
    assert.deepEqual(
      rig.entries.map(({ action, on, result }) => [action, on, result]),
      [
        ['enrolment-token.create', 'web03', 'done'],
        ['enrolment-token.revoke', 'WEB03', 'done'],
        ['enrolment-token.revoke', token.id, 'refused'],
        ['enrolment-token.create', 'web03', 'refused'],
        ['enrolment-token.create', 'two words', 'refused'],
      ],
    );
  });
});
