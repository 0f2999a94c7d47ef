import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AgentDetails, CreatedKey, OpenedDeadLetter } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { createControlServer } from '../../src/control/server.ts';
import { silentLogger } from '../../src/logger.ts';
import type { Agent } from '../../src/management-group/agent.ts';
import type { EnrolmentKey } from '../../src/management-group/enrolment-keys.ts';
import { BANK, PLANT, START } from '../management-group/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ALONE, type ControlRig, createControlRig, DB01, NO_INCIDENTS, operationsIn, putLetter, SENDER_PLACES, STATUS, SUPPORT, WEB01, WEB02 } from './rig.ts';

function serverLike({ group, deadLetters, put, keys, authorityControl, routing }: ControlRig, socket: string): ReturnType<typeof createControlServer> {
  return createControlServer(socket, {
    group,
    groups: [],
    disconnect: () => {},
    now: Date.now,
    deadLetters,
    put,
    losses: { list: () => [] },
    incidents: NO_INCIDENTS,
    operations: operationsIn([]),
    serves: () => true,
    status: () => STATUS,
    keys,
    authority: authorityControl,
    relayGroup: ALONE,
    routing,
    directWorkspaces: [],
    audit: () => {},
    readAudit: () => Promise.resolve([]),
    support: SUPPORT,
    backup: { folder: '', saveDatabase: group.saveTo },
    senderPlaces: SENDER_PLACES,
    workspaceNamed: () => BANK,
    log: silentLogger,
  });
}

describe('the control socket', () => {
  it('may be opened by its owner only', async () => {
    await using rig = await createControlRig();
    assert.equal((await stat(rig.socket)).mode & 0o777, 0o600);
  });

  it('is not given to a second relay, and the first one keeps it', async () => {
    await using rig = await createControlRig();
    const second = serverLike(rig, rig.socket);
    await assert.rejects(second.start(), { code: 'relay.control.in-use', message: /Another relay runs already/ });
    assert.equal((await ask<{ version: string }>(rig.socket, 'GET', '/status')).version, '1.2.3');
  });

  it('replaces what a crash left behind', async () => {
    await using rig = await createControlRig();
    const socket = join(rig.folder, 'left.sock');
    await writeFile(socket, '');
    const server = serverLike(rig, socket);
    await server.start();
    assert.deepEqual(await ask(socket, 'GET', '/status'), STATUS);
    await server.stop();
  });

  it('with a path longer than a socket may have is refused before anything starts', async () => {
    await using rig = await createControlRig();
    assert.throws(() => serverLike(rig, `/${'x'.repeat(107)}`), { code: 'relay.configuration.invalid', message: /found a path of 108 bytes/ });
  });
});

describe('the control routes', () => {
  it('tell how the relay is', async () => {
    await using rig = await createControlRig();
    assert.deepEqual(await ask(rig.socket, 'GET', '/status'), STATUS);
  });

  it('find an agent by its GUID, the beginning of it, or its host name', async () => {
    await using rig = await createControlRig();
    for (const [name, agentId] of [
      [WEB01, WEB01],
      [WEB01.toUpperCase(), WEB01],
      ['aaaaaaaa', WEB01],
      ['c', DB01],
      ['DB01', DB01],
      ['web02.example.org', WEB02],
    ] as const) {
      const { agent, certificates } = await ask<AgentDetails>(rig.socket, 'GET', `/agents/${name}`);
      assert.deepEqual([agent.agentId, certificates.length], [agentId, 1], name);
    }
    assert.deepEqual(
      (await ask<Agent[]>(rig.socket, 'GET', '/agents')).map(({ hostName }) => hostName),
      ['db01', 'web01.example.org', 'web02.example.org'],
    );
  });

  it('find an agent by its workspace and id, where it serves two workspaces', async () => {
    await using rig = await createControlRig();
    const { agent } = await ask<AgentDetails>(rig.socket, 'GET', `/agents/${encodeURIComponent(`${BANK}/${WEB01}`)}`);
    assert.equal(agent.agentId, WEB01);
    await assert.rejects(ask(rig.socket, 'GET', `/agents/${encodeURIComponent(`ffffffff/${WEB01}`)}`), { code: 'relay.command.refused' });
  });

  it('refuse a name that fits two agents, naming them, and one that fits none', async () => {
    await using rig = await createControlRig();
    await assert.rejects(ask(rig.socket, 'GET', '/agents/aaaa'), {
      code: 'relay.command.refused',
      message: new RegExp(`"aaaa" fits 2 agents.*${BANK}/${WEB01}.*${BANK}/${WEB02}`),
    });
    await assert.rejects(ask(rig.socket, 'GET', '/agents/nobody'), { code: 'relay.command.refused', message: /There is no agent "nobody".*relay agents list/ });
  });

  it('approve and suspend, with the operator’s reason', async () => {
    await using rig = await createControlRig();
    const approved = await ask<Agent>(rig.socket, 'POST', '/agents/db01/approve', {});
    assert.deepEqual([approved.state, approved.stateReason], ['approved', 'approved by an operator']);
    const suspended = await ask<Agent>(rig.socket, 'POST', '/agents/db01/suspend', { reason: 'stolen' });
    assert.deepEqual([suspended.state, suspended.stateReason], ['suspended', 'stolen']);
    await assert.rejects(ask(rig.socket, 'POST', '/agents/db01/suspend', { reasons: 'x' }), /reasons/);
    await assert.rejects(ask(rig.socket, 'POST', '/agents/db01/suspend', { reason: 'x'.repeat(201) }), /reason: /);
  });

  it('make, list and revoke enrolment keys; the list never shows a key', async () => {
    await using rig = await createControlRig();
    const { enrolmentKey, secret } = await ask<CreatedKey>(rig.socket, 'POST', '/enrolment-keys', { name: 'site', workspaceId: BANK });
    assert.equal(Buffer.from(secret, 'base64').length, 64);
    assert.deepEqual(await ask<EnrolmentKey[]>(rig.socket, 'GET', '/enrolment-keys'), [JSON.parse(JSON.stringify(enrolmentKey))]);
    assert.deepEqual(await ask(rig.socket, 'DELETE', '/enrolment-keys/site'), { revoked: 'site' });
    await assert.rejects(ask(rig.socket, 'DELETE', '/enrolment-keys/site'), /There is no enrolment key "site" that is not revoked already/);
    const given = randomBytes(64).toString('base64');
    assert.equal((await ask<CreatedKey>(rig.socket, 'POST', '/enrolment-keys', { name: 'given', workspaceId: BANK, key: given })).secret, given);
  });

  it('refuse an enrolment key that cannot be, and say what is wrong with it', async () => {
    await using rig = await createControlRig();
    await ask(rig.socket, 'POST', '/enrolment-keys', { name: 'taken', workspaceId: BANK });
    for (const [wanted, message] of [
      [{ name: 'taken', workspaceId: BANK }, /named "taken" already/],
      [{ name: 'x', workspaceId: PLANT }, /is not configured on this relay/],
      [{ name: 'x', workspaceId: 'bank' }, /"bank" is not configured/],
      [{ name: 'two words', workspaceId: BANK }, /name: a name is 1 to 64 letters/],
      [{ name: 'x', workspaceId: BANK, key: 'c2hvcnQ=' }, /key: /],
      [{ name: 'x', workspaceId: BANK, expiresAt: -1 }, /expiresAt: /],
      [{ workspaceId: BANK }, /name: /],
    ] as const) {
      await assert.rejects(ask(rig.socket, 'POST', '/enrolment-keys', wanted), { code: 'relay.command.refused', message });
    }
  });

  it('list dead letters and open one, its body as it came', async () => {
    await using rig = await createControlRig();
    const { id } = await putLetter(rig, Buffer.from([1, 2, 3]));
    const [letter, ...more] = await ask<{ id: string; answer: string }[]>(rig.socket, 'GET', '/dead-letters');
    assert.deepEqual([letter?.id, letter?.answer, more], [id, 'bad record', []]);
    const opened = await ask<OpenedDeadLetter>(rig.socket, 'GET', `/dead-letters/${id}`);
    assert.deepEqual([opened.encoding, opened.headers, opened.body], ['deflate', { 'x-ms-azureregion': 'OnPremise' }, 'AQID']);
    for (const name of ['0'.repeat(36), '..%2F..%2Fgroup.sqlite', 'x'])
      await assert.rejects(ask(rig.socket, 'GET', `/dead-letters/${name}`), /There is no dead letter/);
  });

  it('send again and discard what was quarantined, too, and say what became of each', async () => {
    await using rig = await createControlRig();
    const batch = await putLetter(rig, Buffer.from('no JSON'));
    await rig.deadLetters.put(batch, { reason: 'quarantined', answer: 'not-json' }, START);
    const other = await putLetter(rig, Buffer.from('neither'));
    const full = await putLetter(rig, Buffer.from('x'), 'TOO_MUCH');
    const gone = '0'.repeat(36);
    assert.deepEqual(await ask(rig.socket, 'POST', '/dead-letters/replay', { ids: [batch.id, gone, full.id] }), [
      { id: batch.id, outcome: 'replayed' },
      { id: gone, outcome: 'gone' },
      { id: full.id, outcome: 'kept', message: 'The cache is full.' },
    ]);
    assert.deepEqual(rig.stored, [batch]);
    assert.deepEqual(await ask(rig.socket, 'POST', '/dead-letters/discard', { ids: [other.id, gone] }), [
      { id: other.id, outcome: 'discarded' },
      { id: gone, outcome: 'gone' },
    ]);
    assert.deepEqual(
      (await rig.deadLetters.list()).map(({ id }) => id),
      [full.id],
    );
  });

  it('refuse what names no dead letters, or too many, or pages that are none', async () => {
    await using rig = await createControlRig();
    for (const ids of [undefined, [], Array.from({ length: 51 }, () => '0'.repeat(36)), 'x']) {
      await assert.rejects(ask(rig.socket, 'POST', '/dead-letters/replay', { ids }), { code: 'relay.command.refused', message: /ids/ });
    }
    for (const query of ['after=x', 'limit=0', 'limit=501', 'more=1'])
      await assert.rejects(ask(rig.socket, 'GET', `/dead-letters?${query}`), { code: 'relay.command.refused' }, query);
  });

  it('answer what they do not know in words', async () => {
    await using rig = await createControlRig();
    await assert.rejects(ask(rig.socket, 'GET', '/weather'), { code: 'relay.command.refused', message: /does not know the command GET \/weather/ });
  });

  it('answer a body that is no JSON with 400', async () => {
    await using rig = await createControlRig();
    const outgoing = request({ socketPath: rig.socket, method: 'POST', path: '/enrolment-keys', headers: { 'content-type': 'application/json' } });
    outgoing.end('{');
    const [response] = await once(outgoing, 'response');
    const text = (await response.setEncoding('utf8').toArray()).join('');
    assert.deepEqual([response.statusCode, (JSON.parse(text) as { error: { code: string } }).error.code], [400, 'relay.control.bad-request']);
  });

  it('log a fault of ours, and tell the operator what it was', async () => {
    await using rig = await createControlRig();
    await putLetter(rig, Buffer.from([1]));
    rig.deadLetters.list = () => Promise.reject(new Error('EIO: the disk is broken'));
    await assert.rejects(ask(rig.socket, 'GET', '/dead-letters'), { code: 'relay.command.refused', message: /the disk is broken/ });
    assert.equal(rig.errors.length, 1);
    assert.match(rig.errors[0] ?? '', /the disk is broken/);
  });
});

describe('ask', () => {
  it('says that no relay runs, and how to start one', async () => {
    await using folder = await temporaryFolder();
    await assert.rejects(ask(join(folder.path, 'none.sock'), 'GET', '/status'), {
      code: 'relay.control.not-running',
      message: /No relay answers at .*none\.sock\. Start it with: relay start/,
    });
  });

  it('says that what answers is no relay, or that it fell silent', async () => {
    await using folder = await temporaryFolder();
    for (const [said, code] of [
      ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'relay.control.not-running'],
      ['HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', 'relay.control.no-answer'],
      ['', 'relay.control.no-answer'],
    ] as const) {
      const socket = join(folder.path, `${said.length}.sock`);
      const server = createServer((connection: Socket) => connection.once('data', () => connection.end(said))).listen(socket);
      await once(server, 'listening');
      await assert.rejects(ask(socket, 'GET', '/status'), { code });
      server.close();
    }
  });
});
