import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Server } from '@hapi/hapi';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { ask } from '../../src/control/client.ts';
import { OPERATOR_HEADER, userName } from '../../src/control/operator.ts';
import { type ControlPluginOptions, controlPlugin } from '../../src/control/plugin.ts';
import { RelayError } from '../../src/errors.ts';
import { silentLogger } from '../../src/logger.ts';
import { BANK } from '../management-group/rig.ts';
import { createControlRig, putLetter } from './rig.ts';

/** Whatever is read of it is there; whatever is called fails. */
const broken: unknown = new Proxy(() => {}, {
  get: () => broken,
  apply() {
    throw new RelayError('relay.control.bad-request', 'It is broken.');
  },
});

/** Bodies of commands that name several things: each is entered for itself, so that one without any has no entry. */
const BODIES: Readonly<Record<string, object>> = {
  '/cache/retry-now': { workspaceIds: [BANK], by: 'ada' },
  '/cache/pause': { workspaceIds: [BANK], by: 'ada' },
  '/cache/resume': { workspaceIds: [BANK], by: 'ada' },
  '/cache/purge': { workspaceIds: [BANK], by: 'ada', before: 1 },
  '/dead-letters/replay': { ids: ['x'] },
  '/dead-letters/discard': { ids: ['x'] },
};

describe('what operators do', () => {
  it('is entered by every route that changes anything, when it fails, too', async () => {
    const entries: AuditEvent[] = [];
    const relayGroup = { steering: broken, status: broken, heardElsewhere: broken, decidesHere: () => {} };
    const own = { relayGroup, serves: () => true, audit: (event: AuditEvent) => void entries.push(event), log: silentLogger };
    const options = new Proxy(own, { get: (target, name) => Reflect.get(target, name) ?? broken }) as unknown as ControlPluginOptions;
    const server = new Server();
    await server.register({ plugin: controlPlugin, options });
    for (const { method, path } of server.table().filter((route) => route.method !== 'get')) {
      const before = entries.length;
      const url = path.replaceAll(/\{[^}]*\}/g, 'x');
      await server.inject({ method, url, payload: BODIES[path] ?? {}, headers: { [OPERATOR_HEADER]: 'ada' } });
      const [entry] = entries.slice(before);
      assert.deepEqual([entry?.actor, entry?.from], [{ kind: 'operator', name: 'ada' }, 'socket'], `${method} ${path}`);
      assert.match(entry?.action ?? '', /^[a-z-]+\.[a-z-]+$/);
      assert.notEqual(entry?.result, 'done', `${method} ${path}`);
    }
  });

  it('is entered when a member of a group refuses what its primary decides', async () => {
    const entries: AuditEvent[] = [];
    const decidesHere = (): never => {
      throw new RelayError('relay.group.not-primary', 'Give the command on the primary.');
    };
    const own = { relayGroup: { decidesHere }, audit: (event: AuditEvent) => void entries.push(event), log: silentLogger };
    const options = new Proxy(own, { get: (target, name) => Reflect.get(target, name) ?? broken }) as unknown as ControlPluginOptions;
    const server = new Server();
    await server.register({ plugin: controlPlugin, options });
    const answer = await server.inject({ method: 'POST', url: '/agents/web01/suspend', payload: {}, headers: { [OPERATOR_HEADER]: 'ada' } });
    assert.equal(answer.statusCode, 409);
    assert.match(answer.payload, /Give the command on the primary/);
    assert.deepEqual(
      entries.map(({ actor, action, on, result }) => [actor.name, action, on, result]),
      [['ada', 'group.refuse', 'post /agents/web01/suspend', 'refused']],
    );
  });

  it('is entered with the name of the account at the command line, for each thing that was named', async () => {
    await using rig = await createControlRig();
    const { id } = await putLetter(rig, Buffer.from('x'));
    const gone = '0'.repeat(36);
    await ask(rig.socket, 'GET', `/dead-letters/${id}`);
    await ask(rig.socket, 'POST', '/dead-letters/discard', { ids: [id, gone] });
    await ask(rig.socket, 'POST', '/cache/purge', { workspaceIds: [BANK], by: 'ada', before: 1_000, kind: 'Event' });
    await assert.rejects(ask(rig.socket, 'DELETE', '/keys/ffffffff'));
    assert.deepEqual(
      rig.entries.map(({ actor, action, on, result, detail }) => [actor.name, action, on, result, detail]),
      [
        [userName(), 'dead-letter.open', id, 'done', undefined],
        [userName(), 'dead-letter.discard', id, 'done', undefined],
        [userName(), 'dead-letter.discard', gone, 'refused', 'there is no such dead letter'],
        [userName(), 'cache.purge', BANK, 'done', '2 batches, 20 bytes, received before 1970-01-01T00:00:01.000Z, kind Event'],
        [userName(), 'key.forget', 'ffffffff', 'refused', 'No key "ffffffff" is lost. List the keys with: relay keys list'],
      ],
    );
  });
});
