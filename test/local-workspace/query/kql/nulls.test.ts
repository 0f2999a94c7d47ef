import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultOf, rowsOf } from './site.ts';

test('a null compares as Kusto documents it: two nulls to null, a null and a value as different', async () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['long(null) == long(null)', null],
    ['long(null) == 1', false],
    ['long(null) != long(null)', null],
    ['long(null) != 1', true],
    ['long(null) > 1', null],
    ['long(null) <= 1', null],
    ['guid(null) == guid(74be27de-1e4e-49d9-b579-fe0b331d3642)', false],
    ['datetime(null) < now()', null],
    ['long(null) in (1, 2)', false],
    ['long(null) !in (1, 2)', true],
    ['long(null) between (1 .. 2)', null],
  ];
  for (const [expression, value] of cases) assert.equal(await resultOf(expression), value, expression);
});

test('and, or and not know three values', async () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['bool(null) and false', false],
    ['bool(null) and true', null],
    ['bool(null) or true', true],
    ['bool(null) or false', null],
    ['not(bool(null))', null],
  ];
  for (const [expression, value] of cases) assert.equal(await resultOf(expression), value, expression);
});

test('a string is empty and never null; other types are null and so empty', async () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["isnull('')", false],
    ["isnotnull('')", true],
    ["isempty('')", true],
    ["isnotempty('x')", true],
    ['isnull(long(null))', true],
    ['isempty(long(null))', true],
    ['isnotempty(0)', true],
    ['isnull(dynamic(null))', true],
  ];
  for (const [expression, value] of cases) assert.equal(await resultOf(expression), value, expression);
  assert.deepEqual(await rowsOf("Events | where Computer == '' | project Computer, Message"), [['', '']]);
  assert.deepEqual(await rowsOf('Events | where isempty(Computer) or isnull(Level) | project Size'), [[null], [300]]);
});

test('where keeps neither false nor null', async () => {
  assert.deepEqual(await rowsOf('Events | where Size > 250 | count'), [[3]]);
  assert.deepEqual(await rowsOf('Events | where not(Size > 250) | count'), [[3]]);
  assert.deepEqual(await rowsOf('Events | where Size != 300 | count'), [[5]]);
  assert.deepEqual(await rowsOf('Events | where Ok | count'), [[4]]);
});

test('aggregates leave nulls out', async () => {
  const text = 'Events | summarize count(), sum(Size), avg(Size), min(Size), max(Size), dcount(Level), make_list(Level), countif(Ok), percentile(Size, 0)';
  assert.deepEqual(await rowsOf(text), [[7, 1350, 225, 50, 400, 4, '[1,2,3,4,1,2]', 4, 50]]);
});

test('aggregates of nothing are 0, empty or null', async () => {
  const text =
    'Empty | summarize count(), countif(Ok), dcount(Level), sum(Size), make_set(Level), avg(Size), min(Size), arg_max(Size, Computer), take_any(Level)';
  assert.deepEqual(await rowsOf(text), [[0, 0, 0, 0, '[]', null, null, null, '', null]]);
  assert.deepEqual(await rowsOf('Empty | summarize count() by Computer'), []);
});

test('null is a group of its own, and in an order the least value', async () => {
  assert.deepEqual(await rowsOf('Events | summarize count() by Level | sort by Level asc'), [
    [null, 1],
    [1, 2],
    [2, 2],
    [3, 1],
    [4, 1],
  ]);
  const levels = async (keys: string): Promise<unknown> => (await rowsOf(`Events | sort by ${keys} | project Level`)).map(([level]) => level);
  assert.deepEqual(await levels('Level desc, Size asc'), [4, 3, 2, 2, 1, 1, null]);
  assert.deepEqual(await levels('Level desc nulls first, Size asc'), [null, 4, 3, 2, 2, 1, 1]);
  assert.deepEqual(await levels('Level asc nulls last, Size asc'), [1, 1, 2, 2, 3, 4, null]);
});

test('a null key of a join equals nothing', async () => {
  assert.deepEqual(await rowsOf('Events | join kind=inner Events on Id | count'), [[13]]);
  assert.deepEqual(await rowsOf('Events | join kind=leftanti Events on Id | project Size'), [[300], [300]]);
});
