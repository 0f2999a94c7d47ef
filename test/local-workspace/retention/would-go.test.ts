import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InForce } from '../../../src/local-workspace/retention/retention-rule.ts';
import { wouldGo } from '../../../src/local-workspace/retention/would-go.ts';
import { segmentOf } from './rig.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const SEGMENTS = [
  segmentOf('Syslog', '2026-07-01', 1),
  segmentOf('Syslog', '2026-09-01', 20),
  segmentOf('Syslog', '2026-11-28', 300),
  segmentOf('Event', '2026-09-02', 4_000),
];

function days(all: number, tables: Record<string, number> = {}): InForce {
  return { plan: 'paid', days: all, tables: new Map(Object.entries(tables)) };
}

test('what a shortening removes is what is past its time after it, without what goes anyway', () => {
  const cases: readonly [before: InForce, after: InForce, rows: number, oldestDay: string | undefined, tables: string[]][] = [
    [days(120), days(31), 4_020, '2026-09-01', ['Event', 'Syslog']],
    [days(365), days(31), 4_021, '2026-07-01', ['Event', 'Syslog']],
    [days(120), days(120, { Syslog: 31 }), 20, '2026-09-01', ['Syslog']],
    [days(120), days(119), 0, undefined, []],
    [days(31), days(120), 0, undefined, []],
  ];
  for (const [before, after, rows, oldestDay, tables] of cases) {
    assert.deepEqual(wouldGo(SEGMENTS, before, after, NOW), { rows, bytes: rows * 100, oldestDay, tables });
  }
});
