import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentHash, equalInConstantTime, sign } from '../../src/oms-protocol/signature.ts';
import { CAPTURED_SHARED_KEY, headerOf, readCapture } from '../support/oms-captures.ts';

describe('the onboarding signature', () => {
  it('agrees with the check vector of the protocol (§1.5)', () => {
    const key = Buffer.from('MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==', 'base64');
    const hash = contentHash(Buffer.from('<x/>'));
    assert.equal(hash, 'KjH0TaS9fey70939GjeuBNAuxmXiwmiIFszGVjFYbtE=');
    assert.equal(sign(key, '2026-01-02T03:04:05.000000000+00:00', hash), 'LNash8Z9XmsbANlOQLMNxZ3waIj25GYhmgtpBivKJRc=');
  });

  it('agrees with the one the Linux agent sent', () => {
    const capture = readCapture('001');
    const hash = headerOf(capture, 'x-ms-SHA256_Content') ?? '';
    assert.equal(contentHash(capture.body), hash);
    assert.match(headerOf(capture, 'authorization') ?? '', /; /);
    assert.equal(sign(CAPTURED_SHARED_KEY, headerOf(capture, 'x-ms-date') ?? '', hash), headerOf(capture, 'authorization')?.split('; ')[1]);
  });
});

describe('equalInConstantTime', () => {
  it('tells equal texts from others, of the same length or not', () => {
    assert.equal(equalInConstantTime('abc', 'abc'), true);
    assert.equal(equalInConstantTime('', ''), true);
    for (const other of ['abd', 'ab', 'abcd', '', 'äb']) assert.equal(equalInConstantTime('abc', other), false);
  });
});
