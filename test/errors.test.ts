import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageOf, RelayError } from '../src/errors.ts';

describe('RelayError', () => {
  it('carries a code, a message and its cause', () => {
    const cause = new Error('disk');
    const error = new RelayError('relay.cache.full', 'The cache is full.', { cause });
    assert.ok(error instanceof Error);
    assert.deepEqual([error.name, error.code, error.message, error.cause], ['RelayError', 'relay.cache.full', 'The cache is full.', cause]);
  });
});

describe('messageOf', () => {
  const cases: readonly (readonly [what: string, thrown: unknown, message: string])[] = [
    ['an error', new Error('a'), 'a'],
    ['an error with causes', new Error('a', { cause: new Error('b', { cause: 'c' }) }), 'a: b: c'],
    ['an error without a message', new TypeError(), 'TypeError'],
    ['several errors without a message of their own', new AggregateError([new Error('a'), new Error('b')]), 'a; b'],
    ['several errors with one', new AggregateError([new Error('a')], 'all failed'), 'all failed'],
    ['a text', 'a', 'a'],
    ['undefined', undefined, 'undefined'],
    ['a message on several lines', new Error('a\n  b\r\nc', { cause: 'd\ne' }), 'a b c: d e'],
  ];
  for (const [what, thrown, message] of cases) {
    it(`gives the text of ${what}`, () => assert.equal(messageOf(thrown), message));
  }

  it('ends with causes that form a circle', () => {
    const error = new Error('a');
    error.cause = error;
    assert.match(messageOf(error), /^a(: a)+$/);
    const several = new AggregateError([]);
    several.errors.push(several);
    assert.match(messageOf(several), /AggregateError/);
  });
});
