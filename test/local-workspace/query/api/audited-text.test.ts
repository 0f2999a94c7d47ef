import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditedText } from '../../../../src/local-workspace/query/api/audited-text.ts';

const CASES: readonly (readonly [query: string, audited: string])[] = [
  ['Heartbeat | count', 'Heartbeat | count'],
  ['T | where A == h"secret" | count', "T | where A == h'***' | count"],
  ["T | where A == H'secret'", "T | where A == h'***'"],
  ['T | where A == h@"C:\\secret"', "T | where A == h'***'"],
  ['T | where A == h@"say ""secret"" now"', "T | where A == h'***'"],
  ['T | where A == h"se\\"cret" or B == "seen"', 'T | where A == h\'***\' or B == "seen"'],
  ['T | where A == "a h" and B == h"secret"', 'T | where A == "a h" and B == h\'***\''],
  ["T // don't\n| where B == h'secret'", "T // don't\n| where B == h'***'"],
  ['T | where B == "http://x" and C == h"secret"', 'T | where B == "http://x" and C == h\'***\''],
  ['T | where B == h"secret', "T | where B == h'***'"],
  ['T | where B == "open\n| where C == h"secret"', "T | where B == \"open\n| where C == h'***'"],
  ['T | where B == h```two\nsecret lines```', "T | where B == h'***'"],
  ['T | where B == h"secret\\', "T | where B == h'***'"],
];

test('hidden strings are struck out of the audited text, other text stays', () => {
  for (const [query, audited] of CASES) assert.equal(auditedText(query), audited);
});

test('the first 1,000 characters are kept, and a hidden string across the cut does not show', () => {
  assert.equal(auditedText('x'.repeat(5_000)), 'x'.repeat(1_000));
  assert.equal([...auditedText('😀'.repeat(1_500))].length, 1_000);
  assert.ok(!auditedText(`${'x'.repeat(980)} h"${'secret'.repeat(1_000)}"`).includes('secret'));
  assert.equal(auditedText(`h"${'a\\"'.repeat(160_000)}`), "h'***'");
});
