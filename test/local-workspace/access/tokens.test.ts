import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BANK, createAccessRig, DAY, endOf, NOWHERE, PLANT, resultOf } from './rig.ts';

const WANTED = { name: 'reports', role: 'reader', days: 90, workspaces: [] } as const;

test('an owner makes tokens for its workspace, and sees who made them', async (t) => {
  const rig = await createAccessRig(t);
  const { tokens } = rig.access();
  const owner = rig.token('owner');
  const made = resultOf(tokens.create(rig.actor(owner, 'access.grant'), BANK, WANTED));
  assert.match(made.secret, /^rlw_[0-9a-f]{12}_[\w-]{43}$/);
  const { secret: _, ...shown } = made;
  assert.deepEqual(tokens.list(BANK).at(-1), shown);
  assert.deepEqual([shown.state, shown.createdBy, shown.expiresAt], ['usable', `token a owner (${owner.id})`, '2027-02-21T08:00:00.000Z']);
  assert.deepEqual(tokens.list(PLANT), []);
});

test('nobody gives access to a workspace that they do not own', async (t) => {
  const rig = await createAccessRig(t);
  const { tokens, operator } = rig.access();
  const owner = rig.actor(rig.token('owner'), 'access.grant');
  for (const other of [PLANT, NOWHERE]) {
    assert.equal(endOf(tokens.create(owner, BANK, { ...WANTED, workspaces: [other] })), '403 InsufficientAccessError', other);
    assert.equal(endOf(tokens.create(owner, other, WANTED)), '403 InsufficientAccessError', other);
  }
  assert.equal(endOf(tokens.create(operator, BANK, { ...WANTED, workspaces: [NOWHERE] })), '403 InsufficientAccessError');
  for (const role of ['reader', 'contributor', 'data-purger'] as const) {
    const actor = { kind: 'token', id: rig.token(role).id, name: role, role: 'owner', from: 'x' } as const;
    assert.equal(endOf(tokens.create(actor, BANK, { ...WANTED, name: `of ${role}` })), '403 InsufficientAccessError', role);
  }
  assert.deepEqual(tokens.list(PLANT), []);
});

test('an owner of two workspaces gives access to both, each told to its own auditors', async (t) => {
  const rig = await createAccessRig(t);
  const owner = rig.token('owner', { workspaces: [PLANT] });
  rig.entries.length = 0;
  const made = resultOf(rig.access().tokens.create(rig.actor(owner, 'access.grant'), BANK, { ...WANTED, workspaces: [PLANT, BANK] }));
  assert.deepEqual(
    rig.entries.map(({ action, on, result }) => [action, on, result]),
    [BANK, PLANT].map((id) => ['access-token.create', `${id} token ${made.id}`, 'done']),
  );
  assert.equal(endOf(rig.ask(made.secret, 'query', PLANT)), 'done');
  assert.doesNotMatch(JSON.stringify(rig.access().tokens.list(BANK)), new RegExp(PLANT));
});

test('a name is taken while a token of that name can be used in the workspace', async (t) => {
  const rig = await createAccessRig(t);
  const { tokens, operator } = rig.access();
  const first = resultOf(tokens.create(operator, BANK, { ...WANTED, days: 1 }));
  assert.equal(endOf(tokens.create(operator, BANK, WANTED)), '409 ConflictError');
  assert.equal(endOf(tokens.create(operator, PLANT, WANTED)), 'done');
  rig.clock.advance(DAY);
  const second = resultOf(tokens.create(operator, BANK, WANTED));
  resultOf(tokens.revoke(operator, BANK, second.id));
  resultOf(tokens.create(operator, BANK, WANTED));
  assert.deepEqual(
    tokens.list(BANK).map(({ state }) => state),
    ['expired', 'revoked', 'usable'],
  );
  assert.equal(tokens.list(BANK)[0]?.id, first.id);
});

test('a token of another workspace cannot be revoked by its id, and what was tried is entered', async (t) => {
  const rig = await createAccessRig(t);
  const { tokens } = rig.access();
  const [owner, other] = [rig.token('owner'), rig.token('reader', { in: PLANT })];
  const actor = rig.actor(owner, 'access.grant');
  rig.entries.length = 0;
  for (const id of [other.id, 'ffffffffffff', owner.secret]) assert.equal(endOf(tokens.revoke(actor, BANK, id)), '404 NotFoundError');
  assert.equal(endOf(rig.ask(other.secret, 'query', PLANT)), 'done');
  assert.deepEqual(
    rig.entries.map(({ action, result }) => `${action} ${result}`),
    Array.from({ length: 3 }, () => 'access-token.revoke refused'),
  );
  assert.ok(!JSON.stringify(rig.entries).includes(owner.secret.slice(17, 30)), 'a token in the place of an id is not entered');
});
