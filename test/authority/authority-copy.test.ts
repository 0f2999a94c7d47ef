import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createPrivateKeyPem } from '../../src/authority/agent-identity.ts';
import { type Authority, type AuthorityCopy, openAuthority } from '../../src/authority/authority.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NOW = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;

interface Two extends AsyncDisposable {
  readonly from: Authority;
  readonly to: Authority;
  /** The second one, as its next start finds it. */
  reopened(): Promise<Authority>;
}

async function twoAuthorities(): Promise<Two> {
  const folder = await temporaryFolder();
  const open = (name: string): Promise<Authority> => openAuthority(join(folder.path, name), () => NOW);
  return { from: await open('from'), to: await open('to'), reopened: () => open('to'), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const travelled = (authority: Authority): AuthorityCopy => JSON.parse(JSON.stringify(authority.copy())) as AuthorityCopy;

describe('an authority that takes over the roots of another', () => {
  it('signs as that one from then on, also after a start, and tells of it once', async () => {
    await using two = await twoAuthorities();
    await two.from.rotate(DAY_MS);
    let told = 0;
    two.to.onChange(() => {
      told += 1;
    });
    await two.to.adopt(travelled(two.from));
    await two.to.adopt(travelled(two.from));
    assert.equal(told, 1);
    for (const authority of [two.to, await two.reopened()]) assert.deepEqual(authority.describe(), two.from.describe());
    const { certificate } = await (await two.reopened()).serverIdentity(['relay.test'], 90);
    assert.ok(new X509Certificate(certificate).verify(createPublicKey(two.from.root)));
  });

  it('trusts a root that goes for as long as the last certificate lasts that the other issued', async () => {
    await using two = await twoAuthorities();
    two.from.issueMember({ host: 'a.member.relay.invalid', publicKey: createPublicKey(createPrivateKey(await createPrivateKeyPem())), lifeMs: 100 * DAY_MS });
    await two.to.adopt(travelled(two.from));
    await two.to.rotate(DAY_MS);
    await two.to.finish();
    const [, retired] = two.to.describe();
    assert.ok((retired?.trustedUntil ?? 0) >= NOW + 100 * DAY_MS);
  });

  it('keeps its own when a certificate and a key do not belong together', async () => {
    await using two = await twoAuthorities();
    const { rootFingerprint } = two.to;
    const copy = travelled(two.from);
    const mixed = { ...copy, roots: { ...copy.roots, current: { ...copy.roots.current, privateKey: await createPrivateKeyPem() } } };
    await assert.rejects(two.to.adopt(mixed), { code: 'relay.authority.unusable' });
    assert.equal(two.to.rootFingerprint, rootFingerprint);
    assert.equal((await two.reopened()).rootFingerprint, rootFingerprint);
  });
});

describe('a certificate for a relay of a group', () => {
  it('is for a client and a server of one name, under the root, and signs nothing', async () => {
    await using two = await twoAuthorities();
    const publicKey = createPublicKey(createPrivateKey(await createPrivateKeyPem()));
    const certificate = new X509Certificate(two.from.issueMember({ host: 'a1b2.member.relay.invalid', publicKey, lifeMs: DAY_MS }));
    assert.equal(certificate.subjectAltName, 'DNS:a1b2.member.relay.invalid');
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
    assert.equal(certificate.ca, false);
    assert.ok(certificate.verify(createPublicKey(two.from.root)));
    assert.equal(certificate.validToDate.getTime(), NOW + DAY_MS);
  });
});
