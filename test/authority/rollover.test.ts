import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { atTime, chainOf, checkMayRotate, finished, type Root, type Roots, trustedRoots, withNext } from '../../src/authority/rollover.ts';

const root = (name: string, crossed?: string): Root => ({ certificate: `<${name}>`, privateKey: `key of ${name}`, crossed });
const STEADY: Roots = { current: root('A'), retired: [] };
const OVERLAP = withNext(STEADY, root('B', '<B by A>'), 100);
const ISSUED_UNTIL = 150;

describe('the way from one root to the next', () => {
  const cases: { what: string; roots: Roots; now: number; current: string; trusted: string; chain: string }[] = [
    { what: 'one root', roots: STEADY, now: 0, current: '<A>', trusted: '<A>', chain: '<A>' },
    { what: 'the next one known, the overlap not over', roots: OVERLAP, now: 99, current: '<A>', trusted: '<A> <B>', chain: '<A>' },
    { what: 'the overlap over', roots: OVERLAP, now: 100, current: '<B>', trusted: '<B> <A>', chain: '<B by A> <A> <B>' },
    { what: 'long over, at the first look', roots: OVERLAP, now: 1000, current: '<B>', trusted: '<B> <A>', chain: '<B by A> <A> <B>' },
    {
      what: 'the last certificate of the old one not ended',
      roots: atTime(OVERLAP, 100, 150),
      now: 150,
      current: '<B>',
      trusted: '<B> <A>',
      chain: '<B by A> <A> <B>',
    },
    { what: 'the last certificate of the old one ended', roots: atTime(OVERLAP, 100, 150), now: 151, current: '<B>', trusted: '<B>', chain: '<B>' },
    { what: 'ended early by an operator', roots: finished(OVERLAP, 10, 150), now: 10, current: '<B>', trusted: '<B> <A>', chain: '<B by A> <A> <B>' },
    { what: 'the clock set back during the overlap', roots: OVERLAP, now: -500, current: '<A>', trusted: '<A> <B>', chain: '<A>' },
  ];
  for (const { what, roots, now, current, trusted, chain } of cases) {
    it(`with ${what}`, () => {
      const then = atTime(roots, now, ISSUED_UNTIL);
      assert.equal(then.current.certificate, current);
      assert.equal(trustedRoots(then).join(' '), trusted);
      assert.equal(chainOf(then).join(' '), chain);
    });
  }

  it('gives back the same object when nothing changes, so that nothing is written', () => {
    for (const roots of [STEADY, OVERLAP]) assert.equal(atTime(roots, 50, ISSUED_UNTIL), roots);
  });

  it('never changes what is trusted by more than one root at a time, whenever it is looked at', () => {
    for (const step of [1, 7, 60]) {
      let roots = OVERLAP;
      let before = trustedRoots(roots);
      for (let now = 0; now <= 400; now += step) {
        roots = atTime(roots, now, ISSUED_UNTIL);
        const after = trustedRoots(roots);
        assert.ok(after.includes(roots.current.certificate));
        assert.ok(before.includes(roots.current.certificate), 'a root signed before it was known');
        before = after;
      }
      assert.deepEqual(before, ['<B>']);
    }
  });

  it('forgets the key of the root that signs no more', () => {
    assert.ok(!JSON.stringify(atTime(OVERLAP, 100, 150)).includes('key of A'));
  });

  it('begins no second one before the first has ended, nor a third that agents could not keep, and ends none that has not begun', () => {
    assert.throws(() => checkMayRotate(OVERLAP), { code: 'relay.authority.rollover-running', message: /relay authority finish/ });
    const once = atTime(OVERLAP, 100, 500);
    checkMayRotate(once);
    const twice = finished(withNext(once, root('C', '<C by B>'), 200), 120, 500);
    assert.deepEqual(trustedRoots(twice), ['<C>', '<B>', '<A>']);
    assert.throws(() => checkMayRotate(twice), { code: 'relay.authority.rollover-running' });
    assert.throws(() => finished(STEADY, 0, 0), { code: 'relay.authority.no-rollover' });
  });
});
