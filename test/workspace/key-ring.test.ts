import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RelayError } from '../../src/errors.ts';
import { generateKeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';

const WORKSPACE = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
const OTHER = parseWorkspaceId('00000000-0000-0000-0000-000000000001');
const SECRET = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');

describe('openKeyRing', () => {
  it('opens a generated ring, with one key of its own', () => {
    const file = generateKeyRing();
    const ring = openKeyRing(JSON.stringify(file));
    assert.match(ring.currentKeyId, /^[0-9a-f]{8}$/);
    assert.deepEqual(Object.keys(file.keys), [ring.currentKeyId]);
    assert.equal(ring.workspaceKey(WORKSPACE, ring.currentKeyId)?.symmetricKeySize, 32);
    assert.notDeepEqual(generateKeyRing().keys, file.keys);
  });

  it('derives the same keys at every start, as RFC 5869 says', () => {
    const ring = openKeyRing(JSON.stringify({ current: '0123abcd', keys: { '0123abcd': SECRET } }));
    assert.equal(ring.workspaceKey(WORKSPACE, '0123abcd')?.export().toString('hex'), 'e6068be4e7c28bb6f297542bbcd2abdcdb1ffd1f33c9f397a653fa592605063f');
    assert.equal(ring.groupKey('enrolment', '0123abcd')?.export().toString('hex'), 'aabc11a6c4568e1b76f79bf9eafec7c4e7db7302ba97423a8712870abb73e878');
  });

  it('gives each workspace, key id and purpose a key of its own', () => {
    const older = generateKeyRing();
    const newer = generateKeyRing();
    const ring = openKeyRing(JSON.stringify({ current: newer.current, keys: { ...older.keys, ...newer.keys } }));
    const keys = [older.current, newer.current].flatMap((id) => [
      ring.workspaceKey(WORKSPACE, id),
      ring.workspaceKey(OTHER, id),
      ring.groupKey('enrolment', id),
      ring.groupKey(WORKSPACE, id),
    ]);
    assert.equal(new Set(keys.map((key) => key?.export().toString('hex'))).size, 8);
  });

  it('gives no key for an id it does not have', () => {
    const ring = openKeyRing(JSON.stringify(generateKeyRing()));
    assert.equal(ring.workspaceKey(WORKSPACE, '00000000'), undefined);
    assert.equal(ring.groupKey('enrolment', '__proto__'), undefined);
  });

  const bad: Readonly<Record<string, string>> = {
    nothing: '',
    'a bare key': SECRET,
    'JSON that is cut': `{"current":"0123abcd","keys":{"0123abcd":"${SECRET}"`,
    'a list of keys': JSON.stringify({ current: '0', keys: [SECRET] }),
    null: 'null',
    'no keys': JSON.stringify({ current: '0123abcd' }),
    'keys that are null': JSON.stringify({ current: '0123abcd', keys: null }),
    'an empty ring': JSON.stringify({ current: '0123abcd', keys: {} }),
    'a current key that is not there': JSON.stringify({ current: '4567cdef', keys: { '0123abcd': SECRET } }),
    'a key in the place of the current id': JSON.stringify({ current: SECRET, keys: { '0123abcd': SECRET } }),
    'key and id in each other’s place': JSON.stringify({ current: '0123abcd', keys: { [SECRET]: '0123abcd' } }),
    'an id with capitals': JSON.stringify({ current: '0123ABCD', keys: { '0123ABCD': SECRET } }),
    'a key that is too short': JSON.stringify({ current: '0123abcd', keys: { '0123abcd': SECRET.slice(4) } }),
    'a key that is too long': JSON.stringify({ current: '0123abcd', keys: { '0123abcd': `AAAA${SECRET}` } }),
    'a key that is a number': JSON.stringify({ current: '0123abcd', keys: { '0123abcd': 7 } }),
  };
  for (const [what, text] of Object.entries(bad)) {
    it(`refuses ${what}, and shows no part of a key`, () => {
      assert.throws(
        () => openKeyRing(text),
        (thrown) => {
          assert.ok(thrown instanceof RelayError);
          assert.equal(thrown.code, 'relay.keys.unusable');
          assert.equal(thrown.cause, undefined);
          assert.match(thrown.message, /Restore the file from its backup/);
          for (let at = 0; at + 8 <= SECRET.length; at += 1) assert.equal(thrown.message.includes(SECRET.slice(at, at + 8)), false);
          return true;
        },
      );
    });
  }
});
