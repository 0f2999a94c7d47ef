import assert from 'node:assert/strict';
import { test } from 'node:test';
import { server as createServer, type Server, type ServerInjectResponse } from '@hapi/hapi';
import { accessRoutes, whoIsByToken, whoIsOperator } from '../../../src/local-workspace/access/access-routes.ts';
import { shapeRefusal } from '../../../src/local-workspace/replies.ts';
import { type AccessRig, BANK, createAccessRig, HOUR, NOWHERE, PLANT } from './rig.ts';

interface Called {
  readonly path: string;
  readonly secret?: string | undefined;
  readonly body?: unknown;
  readonly workspace?: string;
}

async function serve(rig: AccessRig, as: 'token' | 'operator' = 'token'): Promise<(call: Called) => Promise<ServerInjectResponse>> {
  const server: Server = createServer({ debug: false });
  server.ext('onPreResponse', shapeRefusal);
  const access = rig.access();
  await server.register(accessRoutes(access, as === 'token' ? whoIsByToken(access, rig.clock.now) : whoIsOperator(access, (id) => id !== NOWHERE)));
  return ({ path, secret, body, workspace = BANK }) => {
    const headers = { ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }), 'content-type': 'application/json' };
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    return server.inject({ method: body === undefined ? 'GET' : 'POST', url: `/workspaces/${workspace}${path}`, headers, ...(payload ? { payload } : {}) });
  };
}

function errorOf({ statusCode, payload }: ServerInjectResponse): string {
  const { error } = JSON.parse(payload) as { error?: { code?: string } };
  return `${statusCode} ${error?.code ?? ''}`.trim();
}

test('support asks, an owner approves, support is in, all over HTTP', async (t) => {
  const rig = await createAccessRig(t);
  const call = await serve(rig);
  const owner = rig.token('owner').secret;
  const made = await call({ path: '/tokens', secret: owner, body: { name: 'vendor', role: 'support' } });
  assert.equal(made.headers['cache-control'], 'no-store');
  const support = (JSON.parse(made.payload) as { secret: string }).secret;
  const asked = await call({ path: '/access-requests', secret: support, body: { role: 'owner', reason: 'the index is broken' } });
  const { id, state, minutes } = JSON.parse(asked.payload) as { id: string; state: string; minutes: number };
  assert.deepEqual([state, minutes], ['requested', 240]);
  assert.equal(errorOf(await call({ path: '/tokens', secret: support })), '403 InsufficientAccessError');
  const body = { comment: 'go ahead' };
  assert.equal(errorOf(await call({ path: `/access-requests/${id}/approve`, secret: support, body })), '403 InsufficientAccessError');
  assert.equal((await call({ path: `/access-requests/${id}/approve`, secret: owner, body })).statusCode, 200);
  assert.equal(errorOf(await call({ path: `/access-requests/${id}/approve`, secret: owner, body })), '409 ConflictError');
  assert.equal((await call({ path: '/tokens', secret: support })).statusCode, 200);
  rig.clock.advance(4 * HOUR);
  assert.equal(errorOf(await call({ path: '/tokens', secret: support })), '403 InsufficientAccessError');
  const listed = JSON.parse((await call({ path: '/access-requests', secret: support })).payload) as { state: string }[];
  assert.deepEqual(
    listed.map((request) => request.state),
    ['ended'],
  );
});

test('what cannot be used is refused with the words, and changes nothing', async (t) => {
  const rig = await createAccessRig(t);
  const call = await serve(rig);
  const [owner, support] = [rig.token('owner').secret, rig.token('support').secret];
  const token = { name: 'x', role: 'reader' };
  const request = { role: 'reader', reason: 'why' };
  const before = JSON.stringify(rig.access().tokens.list(BANK).length);
  const cases: readonly (readonly [string, string, unknown, RegExp])[] = [
    ['/tokens', owner, { ...token, days: 366 }, /^400 .*days/],
    ['/tokens', owner, { ...token, days: 0 }, /^400 .*days/],
    ['/tokens', owner, { ...token, days: 1.5 }, /^400 .*days/],
    ['/tokens', owner, { ...token, role: 'root' }, /^400 .*role/],
    ['/tokens', owner, { ...token, name: '' }, /^400 .*name/],
    ['/tokens', owner, { ...token, name: 'x'.repeat(65) }, /^400 .*name/],
    ['/tokens', owner, { ...token, name: 'a\nb' }, /^400 .*name/],
    ['/tokens', owner, { ...token, name: owner.slice(0, 40) }, /^400 .*access token/],
    ['/tokens', owner, { ...token, workspaces: ['x'] }, /^400 .*GUID/],
    ['/tokens', owner, { ...token, workspaces: [PLANT] }, /^403 /],
    ['/tokens', owner, { ...token, more: 1 }, /^400 .*more/],
    ['/tokens', owner, [], /^400 /],
    ['/tokens', owner, 'null', /^400 /],
    ['/tokens', owner, '{', /^400 /],
    ['/tokens', owner, JSON.stringify({ ...token, name: 'x'.repeat(20_000) }), /^413 /],
    ['/access-requests', support, { ...request, minutes: 24 * 60 + 1 }, /^400 .*minutes/],
    ['/access-requests', support, { ...request, minutes: 0 }, /^400 .*minutes/],
    ['/access-requests', support, { ...request, reason: ' ' }, /^400 .*reason/],
    ['/access-requests', support, { ...request, reason: 'x'.repeat(501) }, /^400 .*reason/],
    ['/access-requests', support, { ...request, reason: `with ${support}` }, /^400 .*access token/],
    ['/access-requests', support, { ...request, role: 'support' }, /^400 .*role/],
    ['/access-requests/ar-1/approve', owner, {}, /^400 .*comment/],
    ['/access-requests/ar-1/approve', owner, { comment: 'x' }, /^404 .*ar-1/],
    ['/tokens/000000000000/revoke', owner, {}, /^404 .*000000000000/],
  ];
  for (const [path, secret, body, expected] of cases) {
    const answer = await call({ path, secret, body });
    const { error } = JSON.parse(answer.payload) as { error: { message: string } };
    assert.match(`${answer.statusCode} ${error.message}`, expected, `${path} ${JSON.stringify(body).slice(0, 60)}`);
    assert.ok(!answer.payload.includes(secret.slice(20)), path);
  }
  assert.equal(JSON.stringify(rig.access().tokens.list(BANK).length), before);
  assert.deepEqual(rig.access().requests.list(rig.access().operator, BANK), []);
});

test('without a right token nothing is told, and the headers say what to do', async (t) => {
  const rig = await createAccessRig(t);
  const call = await serve(rig);
  const reader = rig.token('reader').secret;
  const missing = await call({ path: '/tokens' });
  assert.deepEqual([errorOf(missing), missing.headers['www-authenticate']], ['401 AuthenticationFailed', 'Bearer']);
  for (const path of ['/tokens', '/access-requests']) {
    for (const body of [undefined, {}]) assert.equal(errorOf(await call({ path, secret: reader, body })), '403 InsufficientAccessError');
  }
  const owner = rig.token('owner').secret;
  const answers = await Promise.all([PLANT, NOWHERE, 'no-guid'].map((workspace) => call({ path: '/tokens', secret: owner, workspace })));
  assert.equal(new Set(answers.map(({ statusCode, payload }) => `${statusCode} ${payload}`)).size, 1);
  for (let times = 0; times < 20; times += 1) await call({ path: '/tokens', secret: 'wrong' });
  const limited = await call({ path: '/tokens', secret: 'wrong' });
  assert.deepEqual([errorOf(limited), limited.headers['retry-after']], ['429 TooManyRequests', '60']);
  assert.equal((await call({ path: '/tokens', secret: owner })).statusCode, 200);
});

test('the operator needs no token on the control socket, and is told which workspace is not there', async (t) => {
  const rig = await createAccessRig(t);
  const call = await serve(rig, 'operator');
  assert.equal((await call({ path: '/tokens', body: { name: 'both', role: 'owner', workspaces: [PLANT] } })).statusCode, 200);
  assert.equal(JSON.parse((await call({ path: '/tokens', workspace: PLANT })).payload).length, 1);
  const entry = rig.entries.at(0);
  assert.deepEqual([entry?.actor, entry?.from], [{ kind: 'operator', name: 'operator' }, 'socket']);
  for (const workspace of [NOWHERE, 'no-guid']) {
    const answer = await call({ path: '/tokens', workspace });
    assert.equal(answer.statusCode, 404);
    assert.match(answer.payload, new RegExp(workspace));
  }
});
