import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compatibilityOf } from '../../src/upgrade/compatibility.ts';
import type { Formats } from '../../src/upgrade/facts-schema.ts';

const OLD: Formats = { segment: { reads: [1], writes: 1 }, managementGroup: { reads: [1, 2, 3], writes: 3 }, authority: { reads: [1], writes: 1 } };
const NONE = { unreadable: [], newer: [], newerParts: [], oneWay: [] };

const cases: readonly (readonly [string, Formats, Formats, boolean, Partial<ReturnType<typeof compatibilityOf>>])[] = [
  ['the same formats: nothing stands in the way', OLD, OLD, false, {}],
  ['a release that also reads a new format, and does not write it yet', OLD, { ...OLD, segment: { reads: [1, 2], writes: 1 } }, false, {}],
  [
    'a release that writes what the old one does not read: no way back',
    OLD,
    { ...OLD, segment: { reads: [1, 2], writes: 2 } },
    false,
    { oneWay: ['segment: it writes 2, the release that runs reads 1'] },
  ],
  [
    'the one after a release that reads both: a way back',
    { ...OLD, segment: { reads: [1, 2], writes: 1 } },
    { ...OLD, segment: { reads: [1, 2], writes: 2 } },
    false,
    {},
  ],
  [
    'a release that no longer reads what may wait in the cache',
    { ...OLD, segment: { reads: [1, 2], writes: 2 } },
    { ...OLD, segment: { reads: [2, 3], writes: 2 } },
    false,
    { unreadable: ['segment: 1 may be on disk, it reads 2, 3'] },
  ],
  ['a newer database: the snapshot takes it back', OLD, { ...OLD, managementGroup: { reads: [1, 2, 3, 4], writes: 4 } }, false, {}],
  ['a release that dropped the steps from layouts that nobody has any more', OLD, { ...OLD, managementGroup: { reads: [3, 4], writes: 4 } }, false, {}],
  [
    'a release that cannot read the database at all',
    OLD,
    { ...OLD, managementGroup: { reads: [5], writes: 5 } },
    false,
    { unreadable: ['managementGroup: 3 may be on disk, it reads 5'] },
  ],
  ['a file that only one of them knows', OLD, { ...OLD, shadow: { reads: [1], writes: 1 } }, false, {}],
  ['a return to a release that knows one file less', { ...OLD, shadow: { reads: [1], writes: 1 } }, OLD, true, {}],
  [
    'a return over a newer database: by the snapshot only',
    { ...OLD, managementGroup: { reads: [1, 2, 3, 4], writes: 4 } },
    OLD,
    true,
    { newer: ['managementGroup: 4 may be on disk, it reads 1, 2, 3'], newerParts: ['managementGroup'] },
  ],
  [
    'a return over a cache that the older release cannot read: not at all',
    { ...OLD, segment: { reads: [1, 2], writes: 2 } },
    OLD,
    true,
    { unreadable: ['segment: 2 may be on disk, it reads 1'] },
  ],
  ['a return from a release that reads more than it writes', { ...OLD, segment: { reads: [1, 2], writes: 1 } }, OLD, true, {}],
];

for (const [what, from, to, isReturn, expected] of cases) {
  test(`${isReturn ? 'going back' : 'going on'}: ${what}`, () => {
    assert.deepEqual(compatibilityOf(from, to, isReturn), { ...NONE, ...expected });
  });
}
