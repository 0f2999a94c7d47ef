import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { KEY_ID, KEY_PROVIDER_KINDS, type KeyProvider, type WrappedKey } from '../../../src/local-workspace/keys/key-provider.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { MARKER, PROVIDER_RIGS, type ProviderRig } from './provider-rigs.ts';
import { BANK, PLANT } from './workspaces.ts';

const FOR_BANK = { workspaceId: BANK };

async function wrapped(provider: KeyProvider, plain: Buffer): Promise<WrappedKey> {
  const answer = await provider.wrap(plain, FOR_BANK);
  assert.equal(answer.outcome, 'wrapped', JSON.stringify(answer));
  return answer as typeof answer & { outcome: 'wrapped' };
}

async function opens(provider: KeyProvider, key: WrappedKey, plain: Buffer): Promise<void> {
  assert.deepEqual(await provider.unwrap(key, FOR_BANK), { outcome: 'unwrapped', plain });
}

/** Nothing that wraps or unwraps does so; each says why, without secrets. */
async function refusesAll({ provider, away }: ProviderRig, key: WrappedKey, secret: Buffer): Promise<void> {
  for (const answer of [await provider.unwrap(key, FOR_BANK), await provider.currentKeyId(FOR_BANK)]) {
    assert.ok(answer.outcome === 'unavailable', JSON.stringify(answer));
    assert.equal(answer.isTransient, false);
    assert.match(answer.reason, away);
    for (const form of [MARKER, secret.toString('base64'), secret.toString('hex')]) assert.ok(!answer.reason.includes(form), answer.reason);
  }
}

for (const kind of KEY_PROVIDER_KINDS) {
  describe(`the key provider ${kind}`, () => {
    it('gives back what it wrapped, for the same workspace alone', async () => {
      await using folder = await temporaryFolder();
      const { provider } = await PROVIDER_RIGS[kind](folder.path);
      const plain = randomBytes(32);
      const key = await wrapped(provider, plain);
      assert.equal(provider.kind, kind);
      assert.match(key.keyId, KEY_ID);
      assert.ok(!key.wrapped.includes(plain));
      await opens(provider, key, plain);
      assert.notEqual((await provider.unwrap(key, { workspaceId: PLANT })).outcome, 'unwrapped');
    });

    it('wraps the same key differently each time, under the id it says is the newest', async () => {
      await using folder = await temporaryFolder();
      const { provider } = await PROVIDER_RIGS[kind](folder.path);
      const plain = randomBytes(32);
      const [one, other] = [await wrapped(provider, plain), await wrapped(provider, plain)];
      assert.notDeepEqual(one.wrapped, other.wrapped);
      assert.deepEqual(await provider.currentKeyId(FOR_BANK), { outcome: 'known', keyId: one.keyId });
    });

    it('does not open what was changed or cut', async () => {
      await using folder = await temporaryFolder();
      const { provider } = await PROVIDER_RIGS[kind](folder.path);
      const key = await wrapped(provider, randomBytes(32));
      const { length } = key.wrapped;
      for (const at of [0, 1, 2, Math.floor(length / 2), length - 20, length - 1]) {
        const changed = Buffer.from(key.wrapped);
        changed[at] = (changed[at] ?? 0) ^ 1;
        assert.notEqual((await provider.unwrap({ ...key, wrapped: changed }, FOR_BANK)).outcome, 'unwrapped', `byte ${at} of ${length}`);
      }
      for (const bytes of [0, 1, 2, 30, length - 1]) {
        assert.notEqual((await provider.unwrap({ ...key, wrapped: key.wrapped.subarray(0, bytes) }, FOR_BANK)).outcome, 'unwrapped', `${bytes} bytes`);
      }
    });

    it('says that its key was taken away, and works when it is given back', async () => {
      await using folder = await temporaryFolder();
      const rig = await PROVIDER_RIGS[kind](folder.path);
      const plain = randomBytes(32);
      const key = await wrapped(rig.provider, plain);
      await rig.takeAway();
      await refusesAll(rig, key, plain);
      await rig.giveBack();
      await opens(rig.provider, key, plain);
    });

    it('wraps by a newer key once there is one, opens what the old one wrapped, and says when that is gone', async () => {
      await using folder = await temporaryFolder();
      const { provider, rotate, removeOld, oldAway } = await PROVIDER_RIGS[kind](folder.path);
      const plain = randomBytes(32);
      const old = await wrapped(provider, plain);
      await rotate();
      const newer = await wrapped(provider, plain);
      assert.notEqual(newer.keyId, old.keyId);
      assert.deepEqual(await provider.currentKeyId(FOR_BANK), { outcome: 'known', keyId: newer.keyId });
      await opens(provider, old, plain);
      await opens(provider, newer, plain);
      await removeOld();
      await opens(provider, newer, plain);
      const refused = await provider.unwrap(old, FOR_BANK);
      assert.ok(refused.outcome === 'unavailable', JSON.stringify(refused));
      assert.match(refused.reason, oldAway);
    });
  });
}
