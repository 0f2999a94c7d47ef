import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFilterText } from '../../../src/local-workspace/retention/filter-text.ts';
import type { PurgeFilter } from '../../../src/local-workspace/retention/purge-request.ts';

test('a filter is read as people type it', () => {
  const cases: readonly [text: string, filter: PurgeFilter][] = [
    ['Person == jdoe', { column: 'Person', operator: '==', value: 'jdoe' }],
    ['Person=="J. Doe"', { column: 'Person', operator: '==', value: 'J. Doe' }],
    ['Person =~ \'say "hi"\'', { column: 'Person', operator: '=~', value: 'say "hi"' }],
    ["Person == O'Brien", { column: 'Person', operator: '==', value: "O'Brien" }],
    ['Person in (a, "b, c", \'d\')', { column: 'Person', operator: 'in', value: ['a', 'b, c', 'd'] }],
    ['Person in~(a)', { column: 'Person', operator: 'in~', value: ['a'] }],
    ['ProcessID >= 10', { column: 'ProcessID', operator: '>=', value: '10' }],
    ['TimeGenerated<2026-01-01T00:00:00Z', { column: 'TimeGenerated', operator: '<', value: '2026-01-01T00:00:00Z' }],
    ['TimeGenerated between (2026-01-01 .. 2026-02-01)', { column: 'TimeGenerated', operator: 'between', value: ['2026-01-01', '2026-02-01'] }],
    ['Props[user name] == jdoe', { column: 'Props', key: 'user name', operator: '==', value: 'jdoe' }],
    ['Props["a]b"] == x', { column: 'Props', key: 'a]b', operator: '==', value: 'x' }],
    ['_ItemId == 3f1c2d4e-0000-8000-8000-000000000001', { column: '_ItemId', operator: '==', value: '3f1c2d4e-0000-8000-8000-000000000001' }],
    ['in == x', { column: 'in', operator: '==', value: 'x' }],
  ];
  for (const [text, filter] of cases) assert.deepEqual(readFilterText(text), filter, text);
});

test('what is no filter is none', () => {
  for (const text of [
    '',
    'Person',
    'Person ==',
    '== x',
    'Person != x',
    'Person in a',
    'Person in ()',
    'Person in (a "b)',
    'Person == "open',
    'T between (a)',
    'T between (a .. b .. c)',
    'P[] == x',
  ]) {
    assert.equal(readFilterText(text), undefined, text);
  }
});
