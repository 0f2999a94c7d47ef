import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS, mayDoForAWhile } from '../../../src/local-workspace/access/rights.ts';
import { type AccessRig, BANK, createAccessRig, endOf, HOUR, MINUTE, PLANT, resultOf } from './rig.ts';

const kinds = (rig: AccessRig): string[] => rig.events.map(({ kind }) => kind);
const stateOf = (rig: AccessRig, id: string): string | undefined =>
  rig
    .access()
    .requests.list(rig.access().operator, BANK)
    .find((request) => request.id === id)?.state;

test('support has the role it asked for while an owner has approved it, and nothing before and after', async (t) => {
  const rig = await createAccessRig(t);
  const [support, owner] = [rig.token('support'), rig.token('owner')];
  const { id, state } = rig.request(support, 'reader', 60);
  assert.equal(state, 'requested');
  assert.equal(endOf(rig.ask(support.secret, 'query')), '403 InsufficientAccessError');

  const decided = resultOf(rig.access().requests.decide(rig.actor(owner, 'access.decide'), BANK, id, 'approved', 'go ahead'));
  assert.deepEqual([decided.state, decided.endsAt], ['approved', '2026-11-23T09:00:00.000Z']);
  const found = rig.ask(support.secret, 'query');
  assert.deepEqual(found.allowed && found.actor, { kind: 'support', id: support.id, name: 'a support', role: 'reader', from: '192.0.2.1' });
  assert.equal(endOf(rig.ask(support.secret, 'lock.lift')), '403 InsufficientAccessError');

  rig.clock.advance(HOUR - 1);
  assert.equal(endOf(rig.ask(support.secret, 'query')), 'done');
  rig.clock.advance(1);
  assert.equal(endOf(rig.ask(support.secret, 'query')), '403 InsufficientAccessError');
  assert.equal(stateOf(rig, id), 'ended');
  assert.deepEqual(kinds(rig), ['access-requested', 'access-approved', 'access-ended']);
  rig.clock.advance(-HOUR / 2);
  assert.equal(endOf(rig.ask(support.secret, 'query')), '403 InsufficientAccessError', 'the clock was set back');
});

test('access ends by comparing times when no timer has fired, and its end is told once when nobody uses it', async (t) => {
  const rig = await createAccessRig(t);
  const support = rig.token('support');
  const { id } = rig.request(support, 'reader', 1);
  resultOf(rig.access().requests.decide(rig.access().operator, BANK, id, 'approved', 'ok'));
  rig.clock.advance(10 * MINUTE);
  assert.deepEqual(kinds(rig), ['access-requested', 'access-approved', 'access-ended']);
  const told = rig.events.at(-1);
  assert.deepEqual(told?.kind === 'access-ended' && [told.requestId, told.why, told.support, told.role], [id, 'time-over', 'a support', 'reader']);
  await rig.restart();
  assert.equal(kinds(rig).length, 3);
  const entry = rig.entries.at(-1);
  assert.deepEqual([entry?.action, entry?.on, entry?.actor.kind], ['access-request.end', `${BANK} request ${id}`, 'system']);
});

test('support that is approved as owner still gives nobody access, itself included, nor changes the key', async (t) => {
  const rig = await createAccessRig(t);
  const support = rig.token('support');
  const { id } = rig.request(support, 'owner');
  resultOf(rig.access().requests.decide(rig.access().operator, BANK, id, 'approved', 'ok'));
  for (const action of ACTIONS) {
    const expected = mayDoForAWhile('owner', action) ? 'done' : '403 InsufficientAccessError';
    assert.equal(endOf(rig.ask(support.secret, action)), expected, action);
  }
  const actor = rig.actor(support, 'lock.lift');
  const second = rig.request(support, 'owner');
  assert.equal(endOf(rig.access().requests.decide(actor, BANK, second.id, 'approved', 'me')), '403 InsufficientAccessError');
  const wanted = { name: 'for later', role: 'owner', days: 365, workspaces: [] } as const;
  assert.equal(endOf(rig.access().tokens.create(actor, BANK, wanted)), '403 InsufficientAccessError');
  assert.equal(endOf(rig.ask(support.secret, 'query', PLANT)), '403 InsufficientAccessError');
});

test('nobody but an owner of the workspace can decide', async (t) => {
  const rig = await createAccessRig(t);
  const support = rig.token('support');
  const { id } = rig.request(support, 'reader');
  for (const role of ['reader', 'contributor', 'data-purger', 'support'] as const) {
    const token = role === 'support' ? support : rig.token(role);
    assert.equal(endOf(rig.ask(token.secret, 'access.decide')), '403 InsufficientAccessError', role);
  }
  const reader = rig.actor(rig.token('reader', { name: 'another reader' }), 'query');
  assert.equal(endOf(rig.access().requests.decide(reader, BANK, id, 'approved', 'x')), '403 InsufficientAccessError');
  assert.equal(stateOf(rig, id), 'requested');
  assert.equal(rig.entries.at(-1)?.result, 'refused');
});

test('an owner of another workspace cannot decide on a request by its id', async (t) => {
  const rig = await createAccessRig(t);
  const { id } = rig.request(rig.token('support'), 'reader');
  const owner = rig.actor(rig.token('owner', { in: PLANT }), 'access.decide', PLANT);
  for (const decision of ['approved', 'rejected', 'withdrawn'] as const) {
    assert.equal(endOf(rig.access().requests.decide(owner, PLANT, id, decision, 'x')), '404 NotFoundError');
  }
  assert.equal(stateOf(rig, id), 'requested');
  assert.deepEqual(rig.access().requests.list(owner, PLANT), []);
});

test('a decision cannot be made a second time, nor undone by another', async (t) => {
  const rig = await createAccessRig(t);
  const [support, owner] = [rig.token('support'), rig.actor(rig.token('owner'), 'access.decide')];
  const decide = (id: string, decision: 'approved' | 'rejected' | 'withdrawn') => endOf(rig.access().requests.decide(owner, BANK, id, decision, 'because'));
  const approved = rig.request(support, 'reader', 60).id;
  assert.deepEqual(
    [decide(approved, 'approved'), decide(approved, 'approved'), decide(approved, 'rejected')],
    ['done', '409 ConflictError', '409 ConflictError'],
  );
  rig.clock.advance(HOUR);
  for (const again of ['approved', 'rejected', 'withdrawn'] as const) assert.equal(decide(approved, again), '409 ConflictError', again);
  const rejected = rig.request(support, 'reader').id;
  assert.deepEqual(
    [decide(rejected, 'rejected'), decide(rejected, 'approved'), decide(rejected, 'withdrawn')],
    ['done', '409 ConflictError', '409 ConflictError'],
  );
  assert.equal(endOf(rig.ask(support.secret, 'query')), '403 InsufficientAccessError');
});

test('a request that nobody decides ends after twelve hours', async (t) => {
  const rig = await createAccessRig(t);
  const [support, owner] = [rig.token('support'), rig.actor(rig.token('owner'), 'access.decide')];
  const { id } = rig.request(support, 'reader');
  rig.clock.advance(12 * HOUR);
  assert.equal(endOf(rig.access().requests.decide(owner, BANK, id, 'approved', 'late')), '409 ConflictError');
  assert.equal(stateOf(rig, id), 'expired');
  assert.deepEqual(kinds(rig), ['access-requested']);
});

test('an owner takes access back at once', async (t) => {
  const rig = await createAccessRig(t);
  const [support, owner] = [rig.token('support'), rig.actor(rig.token('owner'), 'access.decide')];
  const { id } = rig.request(support, 'reader');
  resultOf(rig.access().requests.decide(owner, BANK, id, 'approved', 'ok'));
  assert.equal(endOf(rig.ask(support.secret, 'query')), 'done');
  const after = resultOf(rig.access().requests.decide(owner, BANK, id, 'withdrawn', 'the fault is found'));
  assert.equal(endOf(rig.ask(support.secret, 'query')), '403 InsufficientAccessError');
  assert.deepEqual(
    after.steps.map(({ step, comment }) => `${step}: ${comment}`),
    ['approved: ok', 'withdrawn: the fault is found'],
  );
  const told = rig.events.at(-1);
  assert.equal(told?.kind === 'access-ended' && told.why, 'withdrawn');
});

test('a support token that is revoked ends what was approved for it', async (t) => {
  const rig = await createAccessRig(t);
  const support = rig.token('support');
  const { id } = rig.request(support, 'reader');
  const { requests, tokens, operator } = rig.access();
  resultOf(requests.decide(operator, BANK, id, 'approved', 'ok'));
  resultOf(tokens.revoke(operator, BANK, support.id));
  assert.equal(endOf(rig.ask(support.secret, 'query')), '403 InvalidAuthenticationToken');
});

test('whoever enters a request for a support person cannot approve it; another owner can', async (t) => {
  const rig = await createAccessRig(t);
  const [support, reader, owner] = [rig.token('support'), rig.token('reader'), rig.token('owner')];
  const { requests, operator } = rig.access();
  const wanted = { role: 'reader', reason: 'on the telephone', minutes: 60 } as const;
  assert.equal(endOf(requests.request(operator, BANK, wanted)), '400 BadArgumentError');
  assert.equal(endOf(requests.request(operator, BANK, { ...wanted, support: reader.id })), '404 NotFoundError');
  assert.equal(endOf(requests.request(operator, PLANT, { ...wanted, support: support.id })), '404 NotFoundError');
  const { id } = resultOf(requests.request(operator, BANK, { ...wanted, support: support.id }));
  assert.equal(endOf(requests.decide(operator, BANK, id, 'approved', 'mine')), '403 InsufficientAccessError');
  resultOf(requests.decide(rig.actor(owner, 'access.decide'), BANK, id, 'approved', 'ok'));
  assert.equal(endOf(rig.ask(support.secret, 'query')), 'done');
});

test('support asks for itself alone, sees its own requests alone, and has five open at most', async (t) => {
  const rig = await createAccessRig(t);
  const [one, other] = [rig.token('support', { name: 'one' }), rig.token('support', { name: 'other' })];
  const actor = rig.actor(one, 'access.request');
  const wanted = { role: 'reader', reason: 'why', minutes: 60 } as const;
  assert.equal(endOf(rig.access().requests.request(actor, BANK, { ...wanted, support: other.id })), '403 InsufficientAccessError');
  rig.request(other, 'reader');
  for (let times = 0; times < 5; times += 1) rig.request(one, 'reader');
  assert.equal(endOf(rig.access().requests.request(actor, BANK, wanted)), '409 ConflictError');
  assert.equal(rig.access().requests.list(actor, BANK).length, 5);
  assert.equal(rig.access().requests.list(rig.access().operator, BANK).length, 6);
  rig.clock.advance(12 * HOUR);
  assert.equal(endOf(rig.access().requests.request(actor, BANK, wanted)), 'done');
});
