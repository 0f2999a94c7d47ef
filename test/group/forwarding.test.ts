import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Server } from '@hapi/hapi';
import { concernOf, forwardedOr, runForwarded } from '../../src/group/forwarding.ts';
import type { ForwardedRequest } from '../../src/group/messages.ts';

const TOPOLOGY = '/AgentService.svc/LinuxAgentTopologyRequest';

describe('what a member hands on', () => {
  const cases: readonly [string, string, Record<string, string>, ReturnType<typeof concernOf>][] = [
    ['post', TOPOLOGY, { authorization: 'a signature' }, 'decides'],
    ['post', TOPOLOGY, {}, 'reports'],
    ['post', TOPOLOGY.toLowerCase(), { authorization: 'a signature' }, 'decides'],
    ['post', '/.well-known/est/simpleenroll', {}, 'decides'],
    ['post', '/.well-known/est/simpleenroll/', {}, 'decides'],
    ['post', '/.well-known/est/simplereenroll', {}, 'decides'],
    ['post', '/ConfigurationService.Svc/RenewCertificate', {}, 'decides'],
    ['get', '/.well-known/est/cacerts', {}, 'none'],
    ['post', '/OperationalData.svc/PostJsonDataItems', {}, 'none'],
    ['post', '/AgentService.svc/AgentTelemetry', {}, 'none'],
    ['get', '/agent/configuration', {}, 'none'],
    ['post', '/group/v1/join', {}, 'none'],
  ];
  for (const [method, path, headers, concern] of cases)
    it(`is ${concern}: ${method} ${path}${headers['authorization'] === undefined ? '' : ' signed'}`, () =>
      assert.equal(concernOf({ method: method as 'get', path, headers }), concern));
});

describe('what the primary runs for a member', () => {
  const seen: { readonly headers: Record<string, unknown>; readonly from: string; readonly peer: string | undefined; readonly body: string }[] = [];
  const server = new Server();
  const peerOf = forwardedOr(() => Buffer.from('of the connection'));
  server.route({
    method: 'POST',
    path: '/.well-known/est/simpleenroll',
    options: { payload: { parse: false, output: 'data' } },
    handler(request, h) {
      seen.push({ headers: request.headers, from: request.info.remoteAddress, peer: peerOf(request)?.toString(), body: String(request.payload) });
      return h.response('waits').code(202).header('retry-after', '60').header('x-secret', 'stays here');
    },
  });
  const request: ForwardedRequest = {
    method: 'POST',
    path: '/.well-known/est/simpleenroll',
    headers: { authorization: 'Basic abc', 'x-forwarded-for': '10.0.0.1', cookie: 'c' },
    body: Buffer.from('a request').toString('base64'),
    from: '192.0.2.7',
  };

  it('came from the machine’s address, with its certificate or with none, and with the headers that matter', async () => {
    const answer = await runForwarded(server, { ...request, peer: Buffer.from('of the machine').toString('base64') });
    assert.deepEqual(answer, {
      status: 202,
      headers: { 'content-type': 'text/html; charset=utf-8', 'retry-after': '60' },
      body: Buffer.from('waits').toString('base64'),
    });
    const [one] = seen;
    assert.deepEqual([one?.from, one?.peer, one?.body, one?.headers['authorization']], ['192.0.2.7', 'of the machine', 'a request', 'Basic abc']);
    assert.deepEqual([one?.headers['cookie'], one?.headers['x-forwarded-for']], [undefined, undefined]);
    await runForwarded(server, request);
    assert.equal(seen[1]?.peer, undefined);
  });

  it('is nothing but enrolments and renewals', async () => {
    for (const path of ['/group/v1/snapshot', '/OperationalData.svc/PostJsonDataItems', '/.well-known/est/simpleenroll/../cacerts'])
      await assert.rejects(runForwarded(server, { ...request, path }), /are not handed on/);
  });

  it('believes no machine that says for itself what certificate it has', async () => {
    await server.inject({ method: 'POST', url: '/.well-known/est/simpleenroll', headers: { 'x-forwarded-peer': 'x' }, payload: 'x' });
    assert.equal(seen.at(-1)?.peer, 'of the connection');
  });
});
