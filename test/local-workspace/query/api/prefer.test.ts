import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPrefer } from '../../../../src/local-workspace/query/api/prefer.ts';

const NONE = { waitMs: 180_000, statistics: false, render: false, dataSources: false, permissions: false };

const CASES: readonly (readonly [header: string | undefined, found: Partial<typeof NONE>])[] = [
  [undefined, {}],
  ['', {}],
  ['wait=30', { waitMs: 30_000 }],
  ['wait=600', { waitMs: 600_000 }],
  ['wait=601', { waitMs: 600_000 }],
  ['wait=0', { waitMs: 1_000 }],
  ['wait=-5', {}],
  ['wait=soon', {}],
  ['wait=1e9', {}],
  ['wait="45"', { waitMs: 45_000 }],
  ['wait=10, wait=20', { waitMs: 10_000 }],
  ['Wait = 10 ; foo=bar', { waitMs: 10_000 }],
  ['include-statistics=true', { statistics: true }],
  ['include-statistics=false', {}],
  ['include-statistics', {}],
  ['INCLUDE-RENDER=TRUE', { render: true }],
  [
    'wait=600, ai.include-statistics=true, ai.include-render=true, include-datasources=true',
    { waitMs: 600_000, statistics: true, render: true, dataSources: true },
  ],
  ['include-permissions=true,include-dataSources=true', { permissions: true, dataSources: true }],
  ['respond-async, return=minimal, =, ;, ,', {}],
];

test('the Prefer header is read, and what cannot be read counts for nothing', () => {
  for (const [header, found] of CASES) assert.deepEqual(readPrefer(header), { ...NONE, ...found }, header);
});
