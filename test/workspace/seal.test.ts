import assert from 'node:assert/strict';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { open, SEAL_OVERHEAD_BYTES, seal } from '../../src/workspace/seal.ts';

const KEY = createSecretKey(Buffer.alloc(32, 7));
const KEY_ID = '0123abcd';
const CONTEXT = 'a place';
const PLAIN = Buffer.from('some records');

const keyOf = (keyId: string): KeyObject | undefined => (keyId === KEY_ID ? KEY : undefined);
const sealed = (...parts: Buffer[]): Buffer => Buffer.concat(seal(parts, KEY, KEY_ID, CONTEXT));

describe('seal and open', () => {
  it('give back the parts as one piece, for the overhead they state', () => {
    for (const parts of [[PLAIN], [PLAIN, Buffer.alloc(0), Buffer.from([0, 1, 2])], [Buffer.alloc(0)], []]) {
      const bytes = sealed(...parts);
      assert.deepEqual(open(bytes, keyOf, CONTEXT), Buffer.concat(parts));
      assert.equal(bytes.length, Buffer.concat(parts).length + SEAL_OVERHEAD_BYTES);
    }
  });

  it('refuse a piece with any byte changed', () => {
    const bytes = sealed(PLAIN);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const mask of [0x01, 0x80]) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(bytes.readUInt8(at) ^ mask, at);
        assert.throws(() => open(changed, keyOf, CONTEXT), { code: 'relay.seal.cannot-open' });
        // Even when the changed key id leads to the same key.
        assert.throws(() => open(changed, () => KEY, CONTEXT), { code: 'relay.seal.cannot-open' });
      }
    }
  });

  it('refuse a piece that was cut or lengthened, nothing, and garbage', () => {
    const bytes = sealed(PLAIN);
    for (let length = 0; length < bytes.length; length += 1)
      assert.throws(() => open(bytes.subarray(0, length), keyOf, CONTEXT), { code: 'relay.seal.cannot-open' });
    const others = [Buffer.concat([bytes, Buffer.alloc(1)]), Buffer.concat([bytes, bytes]), Buffer.alloc(100), Buffer.from('hello')];
    for (const other of others) assert.throws(() => open(other, keyOf, CONTEXT), { code: 'relay.seal.cannot-open' });
  });

  it('refuse another context', () => {
    for (const context of ['', 'another place', 'a place ']) assert.throws(() => open(sealed(PLAIN), keyOf, context), { code: 'relay.seal.cannot-open' });
  });

  it('refuse an unknown key id, and name it', () => {
    assert.throws(() => open(sealed(PLAIN), () => undefined, CONTEXT), { code: 'relay.seal.cannot-open', message: /key 0123abcd is not in the key ring/ });
  });

  it('refuse another key under the same id', () => {
    assert.throws(() => open(sealed(PLAIN), () => createSecretKey(Buffer.alloc(32, 8)), CONTEXT), { code: 'relay.seal.cannot-open' });
  });

  it('take a new nonce each time', () => {
    const nonces = Array.from({ length: 100 }, () => sealed(PLAIN).toString('hex', 5, 17));
    assert.equal(new Set(nonces).size, nonces.length);
  });
});
