import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueryResult } from '../../src/commands/query-answer.ts';
import { drawChart } from '../../src/commands/query-chart.ts';
import { seriesOf } from '../../src/commands/query-series.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-29T00:00:00Z');
const TIME = { name: 'TimeGenerated', type: 'datetime' } as const;
const COUNT = { name: 'count_', type: 'long' } as const;
const COMPUTER = { name: 'Computer', type: 'string' } as const;

function hour(hours: number): string {
  return new Date(START + hours * HOUR).toISOString();
}

function chartOf(result: QueryResult, columns = 40, ascii = false): string[] {
  const series = seriesOf(result);
  assert.ok(series.ok, series.ok ? '' : series.problem);
  return drawChart(series.value, { columns, ascii });
}

const EIGHT: QueryResult = { columns: [TIME, COUNT], rows: [0, 1, 2, 3, 4, 5, 6, 7].map((at) => [hour(at), at * 10]) };

test('one series is eight lines high, as wide as the terminal, with its most and least and the first and last moment', () => {
  assert.deepEqual(chartOf(EIGHT), [
    'count_ by TimeGenerated',
    '70 ┤                               █████',
    '   ┤                           ▇▇▇▇█████',
    '   ┤                      ▆▆▆▆▆█████████',
    '   ┤                  ▅▅▅▅██████████████',
    '   ┤             ▃▃▃▃▃██████████████████',
    '   ┤         ▂▂▂▂███████████████████████',
    '   ┤    ▁▁▁▁▁███████████████████████████',
    ' 0 ┤▁▁▁▁████████████████████████████████',
    '    2026-11-29T00:00Z  2026-11-29T07:00Z',
  ]);
});

test('the same without block characters', () => {
  const lines = chartOf(EIGHT, 40, true);
  assert.deepEqual(lines.slice(0, 4), [
    'count_ by TimeGenerated',
    '70 |                               #####',
    '   |                           #########',
    '   |                      :::::#########',
  ]);
  assert.ok(lines.every((line) => /^[\x20-\x7e]*$/.test(line)));
});

test('a moment without a value is empty, one of zero is a line at the foot, and a value below zero lowers the foot', () => {
  const rows = [0, 1, 2, 5, 6, 7].map((at) => [hour(at), 50 - at * 10]);
  assert.deepEqual(chartOf({ columns: [TIME, COUNT], rows: [...rows, [hour(3), null], [null, 5]] }, 30).slice(1, 9), [
    ' 50 ┤███',
    '    ┤███▇▇▇',
    '    ┤██████▆▆▆▆',
    '    ┤██████████',
    '    ┤██████████',
    '    ┤██████████     ▂▂▂',
    '    ┤██████████     ███▁▁▁',
    '-20 ┤██████████     ██████▁▁▁▁',
  ]);
  assert.equal(
    chartOf(
      {
        columns: [TIME, COUNT],
        rows: [
          [hour(0), 0],
          [hour(1), 0],
        ],
      },
      20,
    )[8],
    '0 ┤▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁',
  );
});

test('more points than columns are drawn as the mean of those that share one', () => {
  const rows = Array.from({ length: 340 }, (_, at) => [hour(at), at % 20 < 10 ? 0 : 8]);
  assert.deepEqual(chartOf({ columns: [TIME, COUNT], rows }, 20)[5], '  ┤█████████████████');
  assert.deepEqual(chartOf({ columns: [TIME, COUNT], rows }, 20)[4]?.trimEnd(), '  ┤');
});

test('several series stand below each other over one scale; what they are called reaches no terminal as a command', () => {
  const rows = [0, 1, 2, 3].flatMap((at) => [
    [hour(at), 'web01', at],
    [hour(at), 'db\u001b[2J', 10 - at * at],
  ]);
  assert.deepEqual(chartOf({ columns: [TIME, COMPUTER, COUNT], rows }), [
    'count_ by TimeGenerated',
    'web01',
    '10 ┤',
    '   ┤',
    ' 0 ┤▁▁▁▁▁▁▁▁▁▂▂▂▂▂▂▂▂▂▅▅▅▅▅▅▅▅▅▇▇▇▇▇▇▇▇▇',
    'db [2J',
    '10 ┤█████████▆▆▆▆▆▆▆▆▆',
    '   ┤██████████████████▆▆▆▆▆▆▆▆▆',
    ' 0 ┤███████████████████████████▂▂▂▂▂▂▂▂▂',
    '    2026-11-29T00:00Z  2026-11-29T03:00Z',
  ]);
});

test('of many series the eight largest are drawn, and the rest are counted', () => {
  const rows = Array.from({ length: 11 }, (_, at) => [hour(0), `host${at}`, at]);
  const lines = chartOf({ columns: [TIME, COMPUTER, COUNT], rows });
  assert.deepEqual(
    lines.filter((line) => line.startsWith('host')),
    ['host3', 'host4', 'host5', 'host6', 'host7', 'host8', 'host9', 'host10'],
  );
  assert.equal(lines.at(-1), '3 more series are not drawn.');
});

test('a title of the query stands above, a terminal that is too narrow gets twenty columns, one that is wide two hundred', () => {
  assert.equal(chartOf({ ...EIGHT, render: { visualization: 'timechart', title: 'Beats' } })[0], 'Beats');
  assert.ok(chartOf(EIGHT, 3).every((line) => [...line].length <= 21));
  assert.equal([...(chartOf(EIGHT, 10_000)[8] ?? '')].length, 200);
});

test('an answer without times or numbers is no chart, and it is said what there is', () => {
  const cases: [QueryResult, RegExp][] = [
    [{ columns: [COMPUTER, COUNT], rows: [['a', 1]] }, /needs a column of times and one of numbers, and there is Computer \(string\), count_ \(long\)\./],
    [{ columns: [TIME, COMPUTER], rows: [] }, /needs a column of times and one of numbers/],
    [{ columns: [], rows: [] }, /there is none\./],
    [
      {
        columns: [TIME, COUNT],
        rows: [
          ['soon', 1],
          [hour(0), null],
          [hour(0), 'NaN'],
        ],
      },
      /no row has a time and a number/,
    ],
  ];
  for (const [result, problem] of cases) {
    const series = seriesOf(result);
    assert.ok(!series.ok);
    assert.match(series.problem, problem);
  }
});
