import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilters, onlyThrough, readFilters } from '../../../src/local-workspace/retention/purge-filter.ts';
import type { PurgeFilter } from '../../../src/local-workspace/retention/purge-request.ts';
import type { TableSchema } from '../../../src/local-workspace/tables/column.ts';
import { COMMON_COLUMNS } from '../../../src/local-workspace/tables/column.ts';
import type { RowFilter } from '../../../src/local-workspace/tables/purge.ts';
import { NO_TEXT, type NumberVector, type TextVector, type Vector } from '../../../src/local-workspace/tables/vector.ts';

const SCHEMA: TableSchema = {
  name: 'Door_CL',
  columns: [
    ...COMMON_COLUMNS,
    { name: 'Person', type: 'string' },
    { name: 'Card', type: 'guid' },
    { name: 'Floor', type: 'int' },
    { name: 'Weight', type: 'real' },
    { name: 'Open', type: 'bool' },
    { name: 'Stay', type: 'timespan' },
    { name: 'Props', type: 'dynamic' },
    { name: 'Later', type: 'string' },
  ],
};

const CARD = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f';

function numbers(type: NumberVector['type'], ...values: readonly (number | undefined)[]): Vector {
  return { kind: 'number', type, values: Float64Array.from(values, (value) => value ?? Number.NaN) };
}

function texts(type: TextVector['type'], ...values: readonly (string | undefined)[]): Vector {
  const dictionary = [...new Set(values.filter((value) => value !== undefined))];
  return { kind: 'text', type, dictionary, codes: Uint32Array.from(values, (value) => (value === undefined ? NO_TEXT : dictionary.indexOf(value))) };
}

// Rows 0 to 3; no row has the column Later.
const VECTORS: ReadonlyMap<string, Vector> = new Map([
  [
    'TimeGenerated',
    numbers('datetime', ...['2026-02-27T23:59:59.999Z', '2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z'].map((text) => Date.parse(text)), undefined),
  ],
  ['Person', texts('string', 'jdoe', 'JDoe', 'Ånne', undefined)],
  ['Card', texts('guid', CARD, CARD, '00000000-0000-0000-0000-000000000000', undefined)],
  ['Floor', numbers('int', -1, 0, 12, undefined)],
  ['Weight', numbers('real', 70.5, 0, 12, undefined)],
  ['Open', numbers('bool', 1, 0, 1, undefined)],
  ['Stay', numbers('timespan', 90_000, 86_400_000, 0, undefined)],
  [
    'Props',
    texts('dynamic', '{"user":"jdoe","age":41,"at":"2026-02-28T10:00:00Z"}', '{"user":"JDOE","age":"41","nested":{"user":"x"}}', '["jdoe"]', undefined),
  ],
  ['$seq', numbers('long', 7, 8, 9, 10)],
]);

function matching(filter: RowFilter, rows = 4): number[] {
  const given = new Map([...VECTORS].filter(([name]) => filter.columns.includes(name)));
  const goes = filter.matches(given, rows);
  return Array.from({ length: rows }, (_, row) => row).filter(goes);
}

test('a filter finds the rows of its column that match; rows without a value never do', () => {
  const cases: readonly [column: string, operator: PurgeFilter['operator'], value: PurgeFilter['value'], rows: number[], key?: string][] = [
    ['Person', '==', 'jdoe', [0]],
    ['Person', '=~', 'JDOE', [0, 1]],
    ['Person', '=~', 'ånne', [2]],
    ['Person', 'in', ['JDoe', 'Ånne', 'nobody'], [1, 2]],
    ['Person', 'in~', ['jdoe', 'ÅNNE'], [0, 1, 2]],
    ['Person', '==', 'doe', []],
    ['Later', '==', 'jdoe', []],
    ['Card', '==', CARD.toUpperCase(), [0, 1]],
    ['Card', '=~', `{${CARD}}`, [0, 1]],
    ['Card', 'in', ['00000000000000000000000000000000'], [2]],
    ['Floor', '==', 12, [2]],
    ['Floor', '==', '12', [2]],
    ['Floor', 'in', [-1, 0], [0, 1]],
    ['Floor', '>', -1, [1, 2]],
    ['Floor', '>=', -1, [0, 1, 2]],
    ['Floor', '<', 0, [0]],
    ['Floor', '<=', 0, [0, 1]],
    ['Floor', 'between', [0, 12], [1, 2]],
    ['Weight', 'between', [12, 70.5], [0, 2]],
    ['Open', '==', true, [0, 2]],
    ['Open', '==', 'False', [1]],
    ['Open', 'in', [true, false], [0, 1, 2]],
    ['Stay', '==', '90s', [0]],
    ['Stay', '>=', '1.00:00:00', [1]],
    ['TimeGenerated', '<', '2026-02-28', [0]],
    ['TimeGenerated', '<=', '2026-02-28T01:00:00+01:00', [0, 1]],
    ['TimeGenerated', 'between', ['2026-02-28', '2026-03-01'], [1, 2]],
    ['TimeGenerated', '==', '2026-02-27T23:59:59.999Z', [0]],
    ['Props', '==', 'jdoe', [0], 'user'],
    ['Props', '=~', 'jdoe', [0, 1], 'user'],
    ['Props', '==', 41, [0, 1], 'age'],
    ['Props', '>', '40', [0, 1], 'age'],
    ['Props', '>', 41, [], 'age'],
    ['Props', '>=', '2026-02-28', [0], 'at'],
    ['Props', '==', 'x', [], 'nested'],
    ['Props', '==', 'jdoe', [], '0'],
    ['Props', '=~', 'function Object() { [native code] }', [], 'constructor'],
  ];
  for (const [column, operator, value, rows, key] of cases) {
    const filter: PurgeFilter = { column, operator, value, ...(key === undefined ? {} : { key }) };
    assert.deepEqual(matching(compileFilters([filter], SCHEMA)), rows, JSON.stringify(filter));
  }
});

test('a row goes when all filters match, and none goes where a segment lacks a column', () => {
  const [jdoe, ground]: PurgeFilter[] = [
    { column: 'Person', operator: '=~', value: 'jdoe' },
    { column: 'Floor', operator: '<', value: 0 },
  ];
  const both = compileFilters([jdoe as PurgeFilter, ground as PurgeFilter], SCHEMA);
  assert.deepEqual(both.columns, ['Person', 'Floor']);
  assert.deepEqual(matching(both), [0]);
  assert.deepEqual(matching(compileFilters([jdoe as PurgeFilter, { column: 'Later', operator: '==', value: 'x' }], SCHEMA)), []);
});

test('only rows that were received before the request go', () => {
  const filter = onlyThrough(compileFilters([{ column: 'Floor', operator: '>=', value: -1 }], SCHEMA), 8);
  assert.deepEqual(matching(filter), [0, 1]);
  assert.throws(() => filter.matches(new Map(), 4), { code: 'relay.local-workspace.rows-without-place' });
});

test('a text is looked at once, however many rows have it', () => {
  let reads = 0;
  const dictionary = new Proxy(['jdoe', 'other'], {
    get(target, name, receiver) {
      if (name === '0' || name === '1') reads += 1;
      return Reflect.get(target, name, receiver);
    },
  });
  const codes = Uint32Array.from({ length: 10_000 }, (_, row) => row % 2);
  const goes = compileFilters([{ column: 'Person', operator: '=~', value: 'JDOE' }], SCHEMA).matches(
    new Map([['Person', { kind: 'text', type: 'string', dictionary, codes }]]),
    codes.length,
  );
  assert.equal(codes.filter((_, row) => goes(row)).length, 5_000);
  assert.equal(reads, 2);
});

test('what cannot be a filter is refused with words that never hold the value', () => {
  const secret = 'MARKER-jdoe';
  const cases: readonly [filter: PurgeFilter, words: RegExp][] = [
    [{ column: 'person', operator: '==', value: secret }, /no column "person"\. Write "Person"/],
    [{ column: 'Nobody', operator: '==', value: secret }, /no column "Nobody"\. Look at the columns/],
    [{ column: 'Type', operator: '==', value: secret }, /have the same Type/],
    [{ column: 'TenantId', operator: '==', value: secret }, /have the same TenantId/],
    [{ column: 'Person', operator: '>', value: secret }, /type string knows no operator >; use one of == =~ in in~/],
    [{ column: 'Floor', operator: '=~', value: secret }, /type int knows no operator =~/],
    [{ column: 'Floor', operator: '==', value: secret }, /values must be numbers/],
    [{ column: 'Floor', operator: '==', value: '' }, /values must be numbers/],
    [{ column: 'Person', operator: '==', value: '' }, /values must be texts that are not empty/],
    [{ column: 'Person', operator: 'in', value: [secret, ''] }, /values must be texts that are not empty/],
    [{ column: 'Person', operator: 'in', value: secret }, /in needs a list of values/],
    [{ column: 'Person', operator: 'in', value: [] }, /found an empty list/],
    [{ column: 'Person', operator: '==', value: [secret] }, /== needs one value, not a list/],
    [{ column: 'Person', operator: '==', value: 12 }, /values must be texts/],
    [{ column: 'Person', operator: '==', value: secret, key: 'a' }, /type string has no members; leave out the key/],
    [{ column: 'Props', operator: '==', value: secret }, /type dynamic needs a key/],
    [{ column: 'Props', operator: '>', value: secret, key: 'a' }, /with an operator of order numbers or times/],
    [{ column: 'Card', operator: '==', value: secret }, /values must be GUIDs/],
    [{ column: 'Open', operator: '==', value: secret }, /values must be true or false/],
    [{ column: 'TimeGenerated', operator: '<', value: '2026-02-29' }, /values must be times in ISO 8601/],
    [{ column: 'TimeGenerated', operator: '<', value: 1_700_000_000_000 }, /values must be times in ISO 8601/],
    [{ column: 'TimeGenerated', operator: 'between', value: ['2026-02-01'] }, /between needs a list of two values, found 1/],
    [{ column: 'TimeGenerated', operator: 'between', value: ['2026-02-02', '2026-02-01'] }, /the smaller value first/],
    [{ column: 'Stay', operator: '<', value: secret }, /values must be spans of time/],
  ];
  for (const [filter, words] of cases) {
    const read = readFilters([filter], SCHEMA);
    assert.equal(read.ok, false, JSON.stringify(filter));
    assert.match(read.ok ? '' : read.problem, words);
    assert.ok(read.ok || !read.problem.includes('MARKER'), JSON.stringify(filter));
    assert.throws(() => compileFilters([filter], SCHEMA), { code: 'relay.local-workspace.bad-purge-filter' });
  }
  assert.match(JSON.stringify(readFilters([], SCHEMA)), /There are no filters/);
});
