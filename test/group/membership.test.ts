import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Fingerprint, fingerprintOf } from '../../src/authority/x509.ts';
import { RelayError } from '../../src/errors.ts';
import type { GroupFile } from '../../src/group/group-file.ts';
import { roleIn } from '../../src/group/group-file.ts';
import { type Member, type MemberId, memberOf } from '../../src/group/member.ts';
import {
  addressesOf,
  claimOf,
  following,
  founded,
  handedOver,
  hostsOf,
  joined,
  judge,
  MOST_MEMBERS,
  promoted,
  renewed,
  settled,
  without,
  withToken,
} from '../../src/group/membership.ts';

const NOW = Date.UTC(2026, 10, 23);
const LATER = NOW + 60_000;

function member(id: string, name = id): Member {
  const certificates = [{ fingerprint: id.repeat(64).slice(0, 64) as Fingerprint, notAfter: NOW + 86_400_000 }];
  return { id: id as MemberId, name, address: `https://${name}.example.org:8443`, certificates, joinedAt: NOW };
}

const [ONE, TWO, THREE] = [member('a'), member('b'), member('c')];

function groupOf(self: Member, primary: Member = ONE, term = 1): GroupFile {
  return { id: self.id, term, primary: primary.id, members: [ONE, TWO, THREE], tokens: [] };
}

const codeOf = (code: string) => (error: unknown) => error instanceof RelayError && error.code === code;

describe('who is the primary of a group', () => {
  it('is the relay that began it', () => assert.equal(roleIn(founded(ONE)), 'primary'));

  it('is whoever has the higher term; of one term, the higher id', () => {
    const cases: readonly [Parameters<typeof judge>[1], ReturnType<typeof judge>][] = [
      [{ term: 2, primary: TWO.id }, 'newer'],
      [{ term: 1, primary: ONE.id }, 'same'],
      [{ term: 1, primary: TWO.id }, 'newer'],
      [{ term: 0, primary: THREE.id }, 'older'],
    ];
    for (const [claim, verdict] of cases) assert.equal(judge(groupOf(TWO), claim), verdict, JSON.stringify(claim));
    assert.equal(judge(groupOf(TWO, TWO), { term: 1, primary: ONE.id }), 'older');
  });

  it('leaves one primary, and the same one, whichever of two hears of the other first', () => {
    const [one, two] = [promoted(groupOf(TWO)), promoted(groupOf(THREE))];
    assert.deepEqual([one.term, two.term], [2, 2]);
    for (const relay of [following(one, claimOf(two)), following(two, claimOf(one))]) assert.equal(relay.primary, THREE.id);
  });

  it('is no more when it hears of a higher term, and it knows that it was displaced until it has the other’s copy', () => {
    const back = following(groupOf(ONE), claimOf(promoted(groupOf(TWO))));
    assert.deepEqual([roleIn(back), back.term, back.isDisplaced], ['member', 2, true]);
    assert.equal(settled(back).isDisplaced, undefined);
  });

  it('is not displaced when it made way itself', () => {
    const before = handedOver(groupOf(ONE), TWO.id);
    assert.deepEqual([roleIn(before), before.term, before.isDisplaced], ['member', 2, undefined]);
    assert.equal(roleIn(following(groupOf(TWO), claimOf(before))), 'primary');
  });

  it('is not changed by an older claim, and nothing is written for one that says nothing new', () => {
    const file = groupOf(TWO, TWO, 3);
    assert.equal(following(file, claimOf(groupOf(ONE, ONE, 2))), file);
    assert.equal(following(file, claimOf(file)), file);
  });
});

describe('a relay that joins', () => {
  const invited = withToken(founded(ONE), 'secret', LATER, NOW);

  it('comes in once with a token', () => {
    const file = joined(invited, TWO, 'secret', NOW);
    assert.deepEqual(
      file.members.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.throws(() => joined(file, THREE, 'secret', NOW), codeOf('relay.group.bad-token'));
  });

  it('does not come in with another secret, or too late', () => {
    assert.throws(() => joined(invited, TWO, 'secret!', NOW), codeOf('relay.group.bad-token'));
    assert.throws(() => joined(invited, TWO, 'secret', LATER), codeOf('relay.group.bad-token'));
  });

  it('takes nobody’s name or address, and the token stays good', () => {
    assert.throws(() => joined(invited, { ...TWO, name: 'a' }, 'secret', NOW), codeOf('relay.group.name-taken'));
    assert.throws(() => joined(invited, { ...TWO, address: ONE.address }, 'secret', NOW), codeOf('relay.group.name-taken'));
    assert.equal(joined(invited, TWO, 'secret', NOW).members.length, 2);
  });

  it('is not one too many', () => {
    const full = { ...invited, members: Array.from({ length: MOST_MEMBERS }, (_, at) => member(String(at))) };
    assert.throws(() => joined(full, TWO, 'secret', NOW), codeOf('relay.group.too-many-members'));
  });

  it('is known by no token’s secret on the disk', () => assert.ok(!JSON.stringify(invited).includes('secret')));

  it('finds no more tokens than sixteen that are good', () => {
    let file = founded(ONE);
    for (let at = 0; at < 16; at += 1) file = withToken(file, `s${at}`, LATER, NOW);
    assert.throws(() => withToken(file, 'more', LATER, NOW), codeOf('relay.group.too-many-tokens'));
    assert.equal(withToken(file, 'more', LATER + 60_000, LATER).tokens.length, 1);
  });
});

describe('the list of members', () => {
  const [der, other] = [Buffer.from('a certificate'), Buffer.from('another')];

  it('knows nobody by a certificate that is not in it, or is over', () => {
    const members = [{ ...TWO, certificates: [{ fingerprint: fingerprintOf(der), notAfter: NOW }] }];
    assert.equal(memberOf(members, der, NOW)?.id, TWO.id);
    assert.equal(memberOf(members, other, NOW), undefined);
    assert.equal(memberOf(members, der, NOW + 1), undefined);
    assert.equal(memberOf(members, undefined, NOW), undefined);
  });

  it('keeps the certificate before the newest: its owner may not have got that one', () => {
    const certificate = (name: string) => ({ fingerprint: name.repeat(64) as Fingerprint, notAfter: LATER });
    const file = renewed(renewed(groupOf(ONE), TWO.id, certificate('1')), TWO.id, certificate('2'));
    assert.deepEqual(
      file.members.find(({ id }) => id === TWO.id)?.certificates.map(({ fingerprint }) => fingerprint[0]),
      ['2', '1'],
    );
  });

  it('lets everybody go but the primary', () => {
    assert.equal(without(groupOf(ONE), TWO.id).members.length, 2);
    assert.throws(() => without(groupOf(ONE), ONE.id), codeOf('relay.group.is-primary'));
  });

  it('names this relay first to its agents, and its host in its certificate', () => {
    assert.deepEqual(addressesOf(groupOf(TWO)), [TWO.address, ONE.address, THREE.address]);
    assert.deepEqual(hostsOf(groupOf(TWO)), ['b.example.org']);
    assert.deepEqual([addressesOf(undefined), hostsOf(undefined)], [[], []]);
  });
});
