import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS, mayDo, ROLES } from '../../../src/local-workspace/access/rights.ts';
import { BANK, createAccessRig, DAY, endOf, MINUTE, NOWHERE, PLANT, resultOf } from './rig.ts';

test('a token may do in its workspace what its role permits, and nothing else', async (t) => {
  const rig = await createAccessRig(t);
  for (const role of [...ROLES, 'support'] as const) {
    const { secret, id } = rig.token(role);
    for (const action of ACTIONS) {
      const found = rig.ask(secret, action);
      assert.equal(endOf(found), mayDo(role, action) ? 'done' : '403 InsufficientAccessError', `${role} ${action}`);
      if (found.allowed) {
        const kind = role === 'support' ? 'support' : 'token';
        assert.deepEqual(found.actor, { kind, id, name: `a ${role}`, role, from: '192.0.2.1' });
      }
    }
  }
});

test('a token of one workspace is refused in another whatever it wants, in words that do not tell whether the other exists', async (t) => {
  const rig = await createAccessRig(t);
  const said = new Set<string>();
  for (const role of [...ROLES, 'support'] as const) {
    const { secret } = rig.token(role);
    for (const action of ACTIONS) {
      for (const other of [PLANT, NOWHERE]) {
        const found = rig.ask(secret, action, other);
        assert.equal(endOf(found), '403 InsufficientAccessError', `${role} ${action} ${other}`);
        if (!found.allowed) said.add(found.refusal.message);
      }
    }
  }
  assert.equal(said.size, 1);
  const { secret } = rig.token('owner', { name: 'another' });
  const asked = { authorization: `Bearer ${secret}`, workspaceId: undefined, action: 'query', from: '192.0.2.1', now: rig.clock.now() } as const;
  assert.equal(endOf(rig.access().authorise(asked)), '403 InsufficientAccessError');
});

test('a token of two workspaces may do the same in both', async (t) => {
  const rig = await createAccessRig(t);
  const { secret } = rig.token('reader', { workspaces: [PLANT] });
  assert.equal(endOf(rig.ask(secret, 'query', BANK)), 'done');
  assert.equal(endOf(rig.ask(secret, 'query', PLANT)), 'done');
});

test('a token with one character changed, at whatever place, is none', async (t) => {
  const rig = await createAccessRig(t);
  const { secret } = rig.token('owner');
  for (let at = 0; at < secret.length; at += 1) {
    for (const other of ['a', 'b', '_']) {
      if (secret[at] === other) continue;
      const changed = secret.slice(0, at) + other + secret.slice(at + 1);
      assert.equal(endOf(rig.ask(changed, 'query', BANK, `192.0.2.${at}`)), '403 InvalidAuthenticationToken', `place ${at}`);
    }
  }
  for (const changed of [secret.slice(0, -1), `${secret}A`, secret.toUpperCase(), ` ${secret} x`]) {
    assert.equal(endOf(rig.ask(changed, 'query')), '403 InvalidAuthenticationToken', changed);
  }
});

test('the secret of one token does not go with the id of another', async (t) => {
  const rig = await createAccessRig(t);
  const [owner, reader] = [rig.token('owner'), rig.token('reader')];
  const mixed = `rlw_${owner.id}_${reader.secret.slice(-43)}`;
  assert.equal(endOf(rig.ask(mixed, 'query')), '403 InvalidAuthenticationToken');
});

test('a request without a Bearer token is answered as the Query API does', async (t) => {
  const rig = await createAccessRig(t);
  const { secret } = rig.token('reader');
  const ask = (authorization: string | undefined) =>
    endOf(rig.access().authorise({ authorization, workspaceId: BANK, action: 'query', from: '192.0.2.1', now: rig.clock.now() }));
  const cases = [
    [undefined, '401 AuthenticationFailed'],
    ['', '401 AuthenticationFailed'],
    [`Basic ${secret}`, '401 AuthenticationFailed'],
    [secret, '401 AuthenticationFailed'],
    ['Bearer', '403 InvalidAuthenticationToken'],
    [`Bearer ${'x'.repeat(100_000)}`, '403 InvalidAuthenticationToken'],
    [`Bearer ${secret}, Bearer ${secret}`, '403 InvalidAuthenticationToken'],
    [`bearer  ${secret} `, 'done'],
  ] as const;
  for (const [header, expected] of cases) assert.equal(ask(header), expected, header?.slice(0, 30));
});

test('a token ends with its time, to the millisecond', async (t) => {
  const rig = await createAccessRig(t);
  const { secret } = rig.token('reader', { days: 1 });
  rig.clock.advance(DAY - 1);
  assert.equal(endOf(rig.ask(secret, 'query')), 'done');
  rig.clock.advance(1);
  const found = rig.ask(secret, 'query');
  assert.equal(endOf(found), '403 InvalidAuthenticationToken');
  assert.match(found.allowed ? '' : found.refusal.message, /"a reader" expired at 2026-11-24T08:00:00.000Z/);
});

test('a revoked token is refused at its next use; one of two workspaces keeps the other until that is revoked, too', async (t) => {
  const rig = await createAccessRig(t);
  const token = rig.token('reader', { workspaces: [PLANT] });
  const { tokens, operator } = rig.access();
  resultOf(tokens.revoke(operator, BANK, token.id));
  assert.equal(endOf(rig.ask(token.secret, 'query', BANK)), '403 InsufficientAccessError');
  assert.equal(endOf(rig.ask(token.secret, 'query', PLANT)), 'done');
  resultOf(tokens.revoke(operator, PLANT, token.id));
  for (const workspace of [BANK, PLANT]) assert.equal(endOf(rig.ask(token.secret, 'query', workspace)), '403 InvalidAuthenticationToken');
  assert.equal(endOf(tokens.revoke(operator, PLANT, token.id)), '409 ConflictError');
});

test('wrong tokens of one address are limited to twenty a minute, good ones from there never', async (t) => {
  const rig = await createAccessRig(t);
  const { secret } = rig.token('reader');
  const wrong = `rlw_000000000000_${'A'.repeat(43)}`;
  for (let times = 1; times <= 20; times += 1) assert.equal(endOf(rig.ask(wrong, 'query')), '403 InvalidAuthenticationToken');
  rig.clock.advance(MINUTE / 2);
  const found = rig.ask(wrong, 'query');
  assert.equal(endOf(found), '429 TooManyRequests');
  assert.equal(found.allowed ? undefined : found.refusal.retryAfterS, 30);
  for (let times = 0; times < 100; times += 1) {
    assert.equal(endOf(rig.ask(secret, 'query')), 'done');
    assert.equal(endOf(rig.ask(wrong, 'query')), '429 TooManyRequests');
  }
  assert.equal(endOf(rig.ask(wrong, 'query', BANK, '192.0.2.2')), '403 InvalidAuthenticationToken');
  rig.clock.advance(MINUTE / 2);
  assert.equal(endOf(rig.ask(wrong, 'query')), '403 InvalidAuthenticationToken');

  const told = rig.events.flatMap((event) => (event.kind === 'bad-tokens' && event.from === '192.0.2.1' ? [event] : []));
  assert.deepEqual(
    told.map(({ count, limited }) => `${count}${limited ? ' limited' : ''}`),
    [...Array.from({ length: 19 }, (_, at) => `${at + 1}`), '20 limited', '1'],
  );
  assert.equal(rig.entries.filter(({ detail }) => detail?.startsWith('TooManyRequests')).length, 1);
});

test('each refused attempt is entered: who, what, where, from where and why', async (t) => {
  const rig = await createAccessRig(t);
  const { secret, id } = rig.token('reader');
  rig.entries.length = 0;
  rig.ask(secret, 'lock.lift');
  rig.ask(secret, 'query', PLANT);
  rig.ask(undefined, 'query');
  rig.ask(secret, 'query');
  const seen = rig.entries.map(({ actor, action, on, from, result, detail }) => [actor.kind, actor.name, action, on, from, result, detail?.split(':')[0]]);
  assert.deepEqual(seen, [
    ['token', `a reader (${id})`, 'lock.lift', BANK, '192.0.2.1', 'refused', 'InsufficientAccessError'],
    ['token', `a reader (${id})`, 'query', PLANT, '192.0.2.1', 'refused', 'InsufficientAccessError'],
    ['token', 'unknown', 'query', BANK, '192.0.2.1', 'refused', 'AuthenticationFailed'],
  ]);
});

test('what an actor did is entered under its name', async (t) => {
  const rig = await createAccessRig(t);
  const token = rig.token('reader');
  rig.entries.length = 0;
  rig.access().audited(rig.actor(token, 'query'), { action: 'query', workspaceId: BANK, detail: 'Syslog | count; 1 row' });
  rig.access().audited(rig.access().operator, { action: 'table.delete', workspaceId: BANK, what: 'table Syslog', result: 'failed' });
  assert.deepEqual(rig.entries, [
    { actor: { kind: 'token', name: `a reader (${token.id})` }, action: 'query', on: BANK, from: '192.0.2.1', result: 'done', detail: 'Syslog | count; 1 row' },
    { actor: { kind: 'operator', name: 'operator' }, action: 'table.delete', on: `${BANK} table Syslog`, from: 'socket', result: 'failed', detail: undefined },
  ]);
});

test('the day of the last use is kept, for each workspace', async (t) => {
  const rig = await createAccessRig(t);
  const { secret } = rig.token('reader', { workspaces: [PLANT] });
  rig.ask(secret, 'query');
  rig.clock.advance(DAY);
  rig.ask(secret, 'query');
  rig.ask(secret, 'lock.lift', PLANT);
  const lastUsed = (workspace: typeof BANK) => rig.access().tokens.list(workspace)[0]?.lastUsed;
  assert.deepEqual([lastUsed(BANK), lastUsed(PLANT)], ['2026-11-24', undefined]);
});

test('a token of a workspace that the process no longer has is refused like that of any other', async (t) => {
  const rig = await createAccessRig(t);
  const { secret } = rig.token('owner');
  const elsewhere = rig.ask(secret, 'query', PLANT);
  rig.hosted.delete(BANK);
  assert.deepEqual(rig.ask(secret, 'query'), elsewhere);
  rig.hosted.add(BANK);
  assert.equal(endOf(rig.ask(secret, 'query')), 'done');
});
