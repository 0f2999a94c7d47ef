import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from '../../src/upgrade/version-order.ts';

test('versions have the order of Semantic Versioning', () => {
  // The example of its §11.4, and numbers that a comparison of texts would get wrong.
  const ordered = [
    '0.9.10',
    '0.10.0',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.2',
    '2.0.0',
  ];
  const mixed = ordered.toSorted((a, b) => (a < b ? 1 : -1));
  assert.deepEqual(mixed.toSorted(compareVersions), ordered);
  for (const version of ordered) assert.equal(compareVersions(version, version), 0);
});
