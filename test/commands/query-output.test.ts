import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueryResult } from '../../src/commands/query-answer.ts';
import { queryCsv } from '../../src/commands/query-csv.ts';
import { markedLine, queryOutput, type Wanted } from '../../src/commands/query-output.ts';
import { queryTable, widestColumn } from '../../src/commands/query-table.ts';

const NAMED = (...names: string[]): QueryResult['columns'] => names.map((name) => ({ name, type: 'string' as const }));

test('CSV is RFC 4180: quotes where they are needed, CRLF, null empty; nothing is changed for spreadsheets', () => {
  const cases: readonly (readonly [cells: readonly unknown[], line: string])[] = [
    [['a', 'b'], 'a,b'],
    [['a,b', 'c'], '"a,b",c'],
    [['say "hi"', ''], '"say ""hi""",'],
    [['two\nlines', 'two\r\nlines'], '"two\nlines","two\r\nlines"'],
    [[null, null], ','],
    [[undefined, 0], ',0'],
    [[-5, 0.1], '-5,0.1'],
    [[true, false], 'true,false'],
    [['=1+1', '@x'], '=1+1,@x'],
    [[' a ', 'é'], ' a ,é'],
    [['{"a":[1,2]}', { a: 1 }], '"{""a"":[1,2]}","{""a"":1}"'],
  ];
  const csv = queryCsv({ columns: NAMED('first', 'se,cond'), rows: cases.map(([cells]) => cells) });
  assert.equal(csv, ['first,"se,cond"', ...cases.map(([, line]) => line), ''].join('\r\n'));
});

test('one empty cell alone is no empty line, and an answer without columns is nothing', () => {
  assert.equal(queryCsv({ columns: NAMED('only'), rows: [[null], ['x'], ['']] }), 'only\r\n""\r\nx\r\n""\r\n');
  assert.equal(queryCsv({ columns: [], rows: [] }), '');
});

test('a table without a width is whole, with one the widest columns are cut so that it fits', () => {
  const result = {
    columns: NAMED('Computer', 'Message', 'n'),
    rows: [
      ['web01', 'the disk is full again', '1'],
      ['db', null, '22'],
    ],
  };
  assert.equal(
    queryTable(result),
    ['Computer  Message                 n', 'web01     the disk is full again  1', 'db                                22'].join('\n'),
  );
  assert.equal(queryTable(result, 26), ['Computer  Message       n', 'web01     the disk is…  1', 'db                      22'].join('\n'));
  for (const width of [10, 20, 30, 40]) {
    const widest = Math.max(
      ...queryTable(result, width)
        .split('\n')
        .map((line) => [...line].length),
    );
    assert.ok(widest <= width, String(width));
  }
});

test('lines and commands in a cell stay in their cell', () => {
  assert.equal(queryTable({ columns: NAMED('a'), rows: [['one\ntwo\u001b[31m']] }), 'a\none two [31m');
});

test('columns share what there is: narrow ones whole, the others as much each', () => {
  assert.equal(widestColumn([5, 5, 5], 15), Number.POSITIVE_INFINITY);
  assert.equal(widestColumn([5, 100, 100], 45), 20);
  assert.equal(widestColumn([100, 100], 3), 4);
  assert.equal(widestColumn([], 3), Number.POSITIVE_INFINITY);
});

const TERMINAL = { isTerminal: true, columns: 40 };
const FILE = { isTerminal: false, columns: 80 };
const WANTED: Wanted = { format: undefined, chart: false, ascii: false };
const CHART: QueryResult = {
  columns: [
    { name: 'TimeGenerated', type: 'datetime' },
    { name: 'count_', type: 'long' },
  ],
  rows: [
    ['2026-11-29T08:00:00Z', 1],
    ['2026-11-29T09:00:00Z', 2],
  ],
  render: { visualization: 'timechart' },
};

test('a query that renders a timechart is drawn on a terminal, and nowhere else unless it is asked for', () => {
  const isDrawn = (wanted: Partial<Wanted>, where = TERMINAL, result = CHART): boolean =>
    queryOutput(result, { ...WANTED, ...wanted }, where).text.includes('┤');
  assert.ok(isDrawn({}));
  assert.ok(!isDrawn({}, FILE));
  assert.ok(!isDrawn({ format: 'table' }));
  assert.ok(!isDrawn({}, TERMINAL, { ...CHART, render: { visualization: 'piechart' } }));
  assert.ok(isDrawn({ chart: true }, FILE));
  assert.ok(isDrawn({ chart: true }, TERMINAL, { columns: CHART.columns, rows: CHART.rows }));
  assert.match(queryOutput(CHART, { ...WANTED, ascii: true }, TERMINAL).text, /\|.*#/);
});

test('a chart that cannot be drawn is a table, and a note says why', () => {
  const { text, notes } = queryOutput({ columns: NAMED('a'), rows: [['x']] }, { ...WANTED, chart: true }, TERMINAL);
  assert.equal(text, 'a\nx\n');
  assert.match(notes.join(), /needs a column of times/);
});

test('JSON is an object for each row on one line; an answer that is cut short is noted', () => {
  const { text, notes } = queryOutput({ ...CHART, partial: 'Cut short.' }, { ...WANTED, format: 'json' }, FILE);
  assert.equal(text, '[{"TimeGenerated":"2026-11-29T08:00:00Z","count_":1},{"TimeGenerated":"2026-11-29T09:00:00Z","count_":2}]\n');
  assert.deepEqual(notes, ['Cut short.']);
});

test('CSV on a terminal holds no commands, in a file all that was logged', () => {
  const result = { columns: NAMED('a'), rows: [['x\u001b[2Jy']] };
  assert.equal(queryOutput(result, { ...WANTED, format: 'csv' }, TERMINAL).text, 'a\r\nx [2Jy\r\n');
  assert.equal(queryOutput(result, { ...WANTED, format: 'csv' }, FILE).text, 'a\r\nx\u001b[2Jy\r\n');
});

test('an answer without rows says so to a person, and is empty for a program', () => {
  const result = { columns: NAMED('a'), rows: [] };
  assert.equal(queryOutput(result, WANTED, FILE).text, 'No rows.\n');
  assert.equal(queryOutput(result, { ...WANTED, format: 'csv' }, FILE).text, 'a\r\n');
  assert.equal(queryOutput(result, { ...WANTED, format: 'json' }, FILE).text, '[]\n');
});

test('the line of a fault is shown with a mark under the word', () => {
  const at = (line: number, pos: number): { status: number; message: string; at: { line: number; pos: number; token: string } } => ({
    status: 400,
    message: 'wrong',
    at: { line, pos, token: 'x' },
  });
  assert.equal(markedLine('T\n| wher a\n| count', at(2, 2)), '  | wher a\n    ^');
  assert.equal(
    markedLine(`T | where ${'a'.repeat(200)}`, at(1, 100))
      ?.split('\n')[1]
      ?.indexOf('^'),
    62,
  );
  assert.equal(markedLine('T', at(9, 0)), undefined);
  assert.equal(markedLine('T', { status: 403, message: 'No.' }), undefined);
});
