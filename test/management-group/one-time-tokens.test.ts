import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { MAX_TOKENS } from '../../src/management-group/one-time-tokens.ts';
import { BANK, createGroupRig, PLANT, START } from './rig.ts';

const HOUR_MS = 3_600_000;
const soon = { workspaceId: BANK, expiresAt: START + HOUR_MS };

describe('a one-time token', () => {
  it('is good once, for its workspace and machine, after a restart too', async () => {
    await using rig = await createGroupRig();
    const { token, secret } = rig.group.tokens.create({ ...soon, agentName: 'web01' });
    rig.group.tokens.create({ ...soon, workspaceId: PLANT });
    assert.equal(Buffer.from(secret, 'base64url').length, 32);
    const { tokens } = rig.reopen();
    assert.deepEqual(tokens.check(secret), token);
    assert.equal(tokens.check(`${secret.slice(0, -1)}!`), undefined);
    assert.equal(tokens.check(''), undefined);
    assert.deepEqual([tokens.redeem(token.id), tokens.redeem(token.id), tokens.redeem('nobody')], [true, false, false]);
    assert.equal(tokens.check(secret), undefined);
    assert.deepEqual(
      tokens
        .list()
        .map(({ agentName, redeemedAt }) => [agentName, redeemedAt])
        .sort(),
      [
        [undefined, undefined],
        ['web01', START],
      ].sort(),
    );
  });

  it('ends with its time or when it is revoked, by id or by machine', async () => {
    await using rig = await createGroupRig();
    const { tokens } = rig.group;
    const [byId, byName, late] = [tokens.create(soon), tokens.create({ ...soon, agentName: 'Web01' }), tokens.create(soon)];
    assert.deepEqual([tokens.revoke(byId.token.id), tokens.revoke('web01'), tokens.revoke('web01'), tokens.revoke('nobody')], [true, true, false, false]);
    for (const { token, secret } of [byId, byName]) assert.deepEqual([tokens.check(secret), tokens.redeem(token.id)], [undefined, false]);
    rig.clock.advance(HOUR_MS);
    assert.deepEqual([tokens.check(late.secret), tokens.redeem(late.token.id), tokens.list()], [undefined, false, []]);
  });

  it('is never in the file', async () => {
    await using rig = await createGroupRig();
    const { secret } = rig.group.tokens.create(soon);
    rig.reopen();
    for (const file of await readdir(dirname(rig.path))) {
      const bytes = await readFile(join(dirname(rig.path), file));
      assert.ok(!bytes.includes(secret) && !bytes.includes(Buffer.from(secret, 'base64url')), file);
    }
  });

  it('is refused beyond a bound, until others have expired', async () => {
    await using rig = await createGroupRig();
    const { tokens } = rig.group;
    for (let at = 0; at < MAX_TOKENS; at += 1) tokens.create(soon);
    assert.throws(() => tokens.create(soon), { code: 'relay.one-time-token.too-many' });
    rig.clock.advance(HOUR_MS);
    tokens.create({ ...soon, expiresAt: START + 2 * HOUR_MS });
    assert.equal(tokens.list().length, 1);
  });
});
