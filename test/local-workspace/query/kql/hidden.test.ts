import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutHidden } from '../../../../src/local-workspace/query/kql/syntax/hidden.ts';

test('what stands in hidden strings is not shown', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["T | where Key == h'secret' and Name == 'plain'", "T | where Key == h'***' and Name == 'plain'"],
    ['T | where Key in (H"one", h@"two\\")', "T | where Key in (h'***', h'***')"],
    ["T | where Name == 'h' or Math == 'x'", "T | where Name == 'h' or Math == 'x'"],
    ["T | where Key == h'secret", "T | where Key == h'***'"],
    ["T # where Key == h'secret' | count", "T # where Key == h'***'"],
    ['T | where dynamic(["a"]) == 1', 'T | where dynamic(["a"]) == 1'],
  ];
  for (const [text, shown] of cases) assert.equal(withoutHidden(text), shown);
});
