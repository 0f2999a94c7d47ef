import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesPattern } from '../../src/management-group/pattern.ts';

const PATTERNS: readonly (readonly [pattern: string, hostName: string, fits: boolean])[] = [
  ['web01', 'web01', true],
  ['web01', 'WEB01', true],
  ['WEB01', 'web01', true],
  ['web01', 'web01.example.org', false],
  ['web01', 'xweb01', false],
  ['web*', 'web', true],
  ['web*', 'web01.example.org', true],
  ['*.example.org', 'web01.example.org', true],
  ['*.example.org', 'example.org', false],
  ['*.example.org', 'web01.example.org.evil.net', false],
  ['web.example.org', 'webxexample.org', false],
  ['web-??', 'web-01', true],
  ['web-??', 'web-1', false],
  ['web-??', 'web-001', false],
  ['*', '', true],
  ['?', '', false],
  ['', '', true],
  ['', 'a', false],
  ['a*b*c', 'aXbYc', true],
  ['a*b*c', 'aXbY', false],
  ['a*b*c', 'abbc', true],
  ['*ab', 'aab', true],
  ['***', 'anything', true],
  ['*a?', 'bab', true],
];

describe('matchesPattern', () => {
  for (const [pattern, hostName, fits] of PATTERNS) {
    it(`"${pattern}" ${fits ? 'fits' : 'does not fit'} "${hostName}"`, () => assert.equal(matchesPattern(hostName, pattern), fits));
  }

  it('does not take longer for patterns made to take long', () => {
    const begin = performance.now();
    assert.equal(matchesPattern('a'.repeat(255), `${'*a'.repeat(120)}*b`), false);
    assert.equal(matchesPattern('a'.repeat(10_000), '*a*a*a*a*b'), false);
    // By trying every split this would take longer than the universe has lasted.
    assert.ok(performance.now() - begin < 10_000);
  });
});
