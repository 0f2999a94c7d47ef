import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { withNewKey, withoutKeys } from '../../src/workspace/key-ring.ts';
import { BANK, createGroupRig, newKeyRing, PLANT, START } from './rig.ts';

const DAY_MS = 86_400_000;

describe('an enrolment key', () => {
  it('is never in the file in clear, neither its bytes nor their base64', async () => {
    await using rig = await createGroupRig();
    const given = Buffer.from('MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', 'base64');
    const secrets = [
      rig.group.enrolmentKeys.create({ name: 'made', workspaceId: BANK }),
      rig.group.enrolmentKeys.create({ name: 'given', workspaceId: BANK, key: given }),
    ].map(({ secret }) => secret);
    rig.reopen();
    const folder = dirname(rig.path);
    for (const file of await readdir(folder)) {
      const bytes = await readFile(join(folder, file));
      for (const secret of secrets) {
        assert.ok(!bytes.includes(secret), file);
        assert.ok(!bytes.includes(Buffer.from(secret, 'base64')), file);
      }
    }
  });

  it('signs for its own workspace, after a restart too', async () => {
    await using rig = await createGroupRig();
    const { secret, enrolmentKey } = rig.group.enrolmentKeys.create({ name: 'site', workspaceId: BANK });
    assert.equal(Buffer.from(secret, 'base64').length, 64);
    const { enrolmentKeys } = rig.reopen();
    assert.deepEqual(
      enrolmentKeys.usable(BANK).map(({ id, key }) => [id, key.toString('base64')]),
      [[enrolmentKey.id, secret]],
    );
    assert.deepEqual(enrolmentKeys.usable(PLANT), []);
    assert.deepEqual(enrolmentKeys.list(), [enrolmentKey]);
    assert.equal(enrolmentKeys.nameOf(enrolmentKey.id), 'site');
  });

  it('that was revoked or has expired signs no more, and keeps its name for the record', async () => {
    await using rig = await createGroupRig();
    const { enrolmentKeys } = rig.group;
    enrolmentKeys.create({ name: 'revoked', workspaceId: BANK });
    const { enrolmentKey } = enrolmentKeys.create({ name: 'by id', workspaceId: BANK });
    enrolmentKeys.create({ name: 'expiring', workspaceId: BANK, expiresAt: START + DAY_MS });
    assert.deepEqual(
      [enrolmentKeys.revoke('revoked'), enrolmentKeys.revoke('revoked'), enrolmentKeys.revoke(enrolmentKey.id), enrolmentKeys.revoke('nobody')],
      [true, false, true, false],
    );
    assert.equal(enrolmentKeys.usable(BANK).length, 1);
    rig.clock.advance(DAY_MS);
    assert.deepEqual(enrolmentKeys.usable(BANK), []);
    assert.throws(() => enrolmentKeys.create({ name: 'revoked', workspaceId: PLANT }), { code: 'relay.enrolment-key.name-taken' });
  });

  it('counts the machines that came with it', async () => {
    await using rig = await createGroupRig();
    const { enrolmentKey } = rig.group.enrolmentKeys.create({ name: 'site', workspaceId: BANK });
    for (let at = 0; at < 3; at += 1) rig.group.enrolmentKeys.countUse(enrolmentKey.id);
    assert.equal(rig.reopen().enrolmentKeys.list()[0]?.uses, 3);
  });

  it('with a number of uses signs for so many machines, and for no more', async () => {
    await using rig = await createGroupRig();
    const { enrolmentKeys } = rig.group;
    const { enrolmentKey } = enrolmentKeys.create({ name: 'three', workspaceId: BANK, maxUses: 3 });
    const { enrolmentKey: endless } = enrolmentKeys.create({ name: 'any', workspaceId: BANK });
    for (const usable of [2, 2, 2, 1]) {
      assert.equal(enrolmentKeys.usable(BANK).length, usable);
      for (const { id } of [enrolmentKey, endless]) enrolmentKeys.countUse(id);
    }
    assert.deepEqual(
      rig
        .reopen()
        .enrolmentKeys.list()
        .map(({ name, uses, maxUses }) => [name, uses, maxUses]),
      [
        ['three', 4, 3],
        ['any', 4, undefined],
      ],
    );
  });

  it('cannot be opened with the keys of another group: it signs no more, and its name is told', async () => {
    await using rig = await createGroupRig();
    rig.group.enrolmentKeys.create({ name: 'site', workspaceId: BANK });
    const other = rig.reopen(newKeyRing());
    const { secret } = other.enrolmentKeys.create({ name: 'new', workspaceId: BANK });
    assert.deepEqual(
      other.enrolmentKeys.usable(BANK).map(({ key }) => key.toString('base64')),
      [secret],
    );
    assert.deepEqual(other.enrolmentKeys.unopenable(), ['site']);
    other.enrolmentKeys.reseal();
    assert.equal(rig.reopen().enrolmentKeys.unopenable().length, 1);
  });

  it('is sealed anew with the current key after a rotation', async () => {
    await using rig = await createGroupRig();
    const { secret } = rig.group.enrolmentKeys.create({ name: 'site', workspaceId: BANK });
    const [old] = rig.group.enrolmentKeys.sealedWith();
    const ring = rig.ring;
    ring.replace(withNewKey(ring.content()));
    rig.group.enrolmentKeys.reseal();
    assert.deepEqual(rig.group.enrolmentKeys.sealedWith(), [ring.currentKeyId]);
    ring.replace(withoutKeys(ring.content(), new Set([old ?? ''])));
    const [usable] = rig.reopen().enrolmentKeys.usable(BANK);
    assert.equal(usable?.key.toString('base64'), secret);
  });
});
