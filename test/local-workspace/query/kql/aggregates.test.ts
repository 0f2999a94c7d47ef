import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGGREGATES } from '../../../../src/local-workspace/query/kql/aggregates/aggregates.ts';
import { createDigest } from '../../../../src/local-workspace/query/kql/aggregates/digest.ts';
import { createDistinctCounter } from '../../../../src/local-workspace/query/kql/aggregates/distinct-counter.ts';
import { createNumberHash, hashText } from '../../../../src/local-workspace/query/kql/aggregates/hash.ts';
import { AGGREGATE_NAMES } from '../../../../src/local-workspace/query/kql/aggregates/names.ts';
import { createBudget } from '../../../../src/local-workspace/query/kql/budget.ts';
import { tableOf } from './site.ts';

const BUDGET = createBudget(100_000_000);

test('each aggregate has its name, its type and its value', async () => {
  const cases: readonly (readonly [call: string, column: string, value: unknown])[] = [
    ['count()', 'count_:long', 7],
    ['countif(Ok)', 'countif_Ok:long', 4],
    ['countif(Size > 100)', 'countif_:long', 4],
    ['dcount(Computer)', 'dcount_Computer:long', 4],
    ['dcount(Id)', 'dcount_Id:long', 2],
    ['dcountif(Computer, Size > 100)', 'dcountif_Computer:long', 2],
    ['count_distinct(Level)', 'count_distinct_Level:long', 4],
    ['sum(Size)', 'sum_Size:long', 1350],
    ['sum(Level)', 'sum_Level:long', 13],
    ['sum(Load)', 'sum_Load:real', 7.25],
    ['sum(Size + 1)', 'sum_:long', 1356],
    ['sum(Took)', 'sum_Took:timespan', '1.02:02:07.5010000'],
    ['sum(Data.a)', 'sum_Data_a:real', 3],
    ['sumif(Size, Ok)', 'sumif_Size:long', 1100],
    ['avg(Size)', 'avg_Size:real', 225],
    ['avg(Took)', 'avg_Took:timespan', '04:20:21.2501667'],
    ['avgif(Size, Ok)', 'avgif_Size:real', 275],
    ['min(Size)', 'min_Size:long', 50],
    ['max(TimeGenerated)', 'max_TimeGenerated:datetime', '2026-11-29T09:45:00Z'],
    ['max(Computer)', 'max_Computer:string', 'web-2'],
    ['minif(Size, Ok)', 'minif_Size:long', 100],
    ['maxif(Size, not(Ok))', 'maxif_Size:long', 200],
    ['stdev(Load)', 'stdev_Load:real', 1.91322154],
    ['variance(Load)', 'variance_Load:real', 3.66041667],
    ['stdevif(Load, Computer == "web-2")', 'stdevif_Load:real', 2.12132034],
    ['percentile(Size, 50)', 'percentile_Size_50:long', 200],
    ['percentile(Size, 99.9)', 'percentile_Size_99_9:long', 400],
    ['percentile(TimeGenerated, 1)', 'percentile_TimeGenerated_1:datetime', '2026-11-29T08:10:00Z'],
    ['make_set(Level)', 'set_Level:dynamic', '[1,2,3,4]'],
    ['make_list(Level)', 'list_Level:dynamic', '[1,2,3,4,1,2]'],
    ['make_list(Level, 2)', 'list_Level:dynamic', '[1,2]'],
    ['make_set(Computer)', 'set_Computer:dynamic', '["web-1","web-2","","db-1"]'],
    ['make_list(bin(TimeGenerated, 1d), 1)', 'list_:dynamic', '["2026-11-29T00:00:00.0000000Z"]'],
    ['make_list(Data.a)', 'list_Data_a:dynamic', '[1,2,"one"]'],
    ['take_any(Level)', 'Level:int', 1],
    ['any(Level)', 'any_Level:int', 1],
    ['arg_max(Size, Computer)', 'Size:long, Computer:string', 400],
    [
      'arg_min(Size, *)',
      'Size:long, TimeGenerated:datetime, Computer:string, Level:int, Load:real, Ok:bool, Took:timespan, Id:guid, Data:dynamic, Message:string, _TimeReceived:datetime',
      50,
    ],
    ['(a, b) = arg_max(Size, Message)', 'a:long, b:string', 400],
    ['percentiles(Size, 0, 100)', 'percentile_Size_0:long, percentile_Size_100:long', 50],
  ];
  for (const [call, columns, value] of cases) {
    const answer = await tableOf(`Events | summarize ${call}`);
    assert.equal(answer.columns.map(({ name, type }) => `${name}:${type}`).join(', '), columns, call);
    const cell = answer.rows[0]?.[0];
    if (typeof value === 'number' && typeof cell === 'number') assert.ok(Math.abs(cell - value) < 1e-6, `${call}: ${cell}`);
    else assert.equal(cell, value, call);
  }
});

test('arg_max brings the other columns of the row, group by group and over chunks', async () => {
  const { rows } = await tableOf('Events | summarize arg_max(TimeGenerated, *) by Computer | project Computer, TimeGenerated, Size, Message');
  assert.deepEqual(rows, [
    ['web-1', '2026-11-29T09:45:00Z', 300, 'Service-restart pending'],
    ['web-2', '2026-11-29T09:30:00Z', 400, 'password changed'],
    ['', '2026-11-29T09:05:00Z', null, ''],
    ['db-1', '2026-11-29T09:15:00Z', 50, 'service STOPPED'],
  ]);
});

test('every name of an aggregate has its aggregate', () => {
  assert.deepEqual([...AGGREGATES.keys()].sort(), [...AGGREGATE_NAMES].sort());
});

test('a digest is exact for few numbers, and near for many, in any order', () => {
  const few = createDigest(BUDGET);
  for (const value of [5, 1, 4, 2, 3]) few.add(value);
  assert.deepEqual(
    [0, 20, 50, 100].map((percent) => few.percentile(percent)),
    [1, 1, 3, 5],
  );
  for (const step of [1, 7_919, 99_991]) {
    const many = createDigest(BUDGET);
    for (let index = 0; index < 100_000; index += 1) many.add((index * step) % 100_000);
    for (const percent of [1, 50, 95, 99])
      assert.ok(Math.abs(many.percentile(percent) - percent * 1_000) < 500, `step ${step}: ${percent} % is ${many.percentile(percent)}`);
  }
  assert.ok(Number.isNaN(createDigest(BUDGET).percentile(50)));
});

test('different values are counted exactly while few, and within 3 % when many', () => {
  const words = new Uint32Array(2);
  const hash = createNumberHash();
  for (const different of [0, 1, 2_048, 10_000, 300_000]) {
    const [numbers, texts] = [createDistinctCounter(BUDGET), createDistinctCounter(BUDGET)];
    for (let round = 0; round < 2; round += 1) {
      for (let value = 0; value < different; value += 1) {
        hash(value, words);
        numbers.add(words[0] as number, words[1] as number);
        hashText(`host-${value}`, words);
        texts.add(words[0] as number, words[1] as number);
      }
    }
    const allowed = different <= 2_048 ? 0 : different * 0.03;
    for (const counted of [numbers.count(), texts.count()]) assert.ok(Math.abs(counted - different) <= allowed, `${different} counted as ${counted}`);
  }
});
