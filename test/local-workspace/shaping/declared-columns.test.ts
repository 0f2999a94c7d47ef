/** Rows of Logs Ingestion: columns are those that the stream declares, and what is not declared is left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnType } from '../../../src/local-workspace/tables/column.ts';
import { called, custom, NOON } from '../tables/store-rig.ts';
import { only, own, shaping } from './shaping-rig.ts';

const TABLE = 'Door_CL';

function column(name: string, type: ColumnType): { name: string; type: ColumnType } {
  return { name, type };
}

test('a declared column takes what fits its type; what does not is left out', () => {
  const cases: [type: ColumnType, value: unknown, kept: unknown][] = [
    ['string', 'text', 'text'],
    ['string', 7, '7'],
    ['string', { a: 1 }, '{"a":1}'],
    ['int', 7.9, 7],
    ['int', '12', 12],
    ['int', 2 ** 31, undefined],
    ['long', 2 ** 40, 2 ** 40],
    ['long', 'many', undefined],
    ['real', '0.5', 0.5],
    ['bool', 'true', 1],
    ['bool', 0, 0],
    ['bool', 'perhaps', undefined],
    ['datetime', '2026-03-04T12:00:00Z', NOON],
    ['datetime', 'soon', undefined],
    ['dynamic', { a: [1] }, '{"a":[1]}'],
    ['dynamic', 'text', '"text"'],
    ['string', null, undefined],
  ];
  for (const [type, value, kept] of cases) {
    const table = shaping()
      .add(called(TABLE, [column('f', type)], [{ f: value, other: 'x' }]))
      .table(TABLE);
    assert.deepEqual([table.columns, own(table)], [[`f: ${type}`], [kept === undefined ? {} : { f: kept }]], `${type} ${JSON.stringify(value)}`);
  }
});

test('columns are there once they are declared, also without values', () => {
  assert.deepEqual(
    shaping()
      .add(called(TABLE, [column('a', 'string'), column('b', 'int')], [{}]))
      .table(TABLE).columns,
    ['a: string', 'b: int'],
  );
});

test('a column that is declared anew with another type is a second one, and stays the second one', () => {
  const [text, number] = [called(TABLE, [column('f', 'string')], [{ f: '1' }]), called(TABLE, [column('f', 'real')], [{ f: 2 }])];
  const table = shaping().add(text, number, number, text, number).table(TABLE);
  assert.deepEqual(table.columns, ['f: string', 'f_d: real']);
  assert.deepEqual(own(table), [{ f: '1' }, { f_d: 2 }, { f_d: 2 }, { f: '1' }, { f_d: 2 }]);
});

test('a declared column with a name that all tables have does not get in its way', () => {
  const table = shaping()
    .add(called(TABLE, [column('MG', 'string'), column('Type', 'string')], [{ MG: 'mine', Type: 'door' }]))
    .table(TABLE);
  assert.deepEqual(own(table), [{ MG_: 'mine', Type_: 'door' }]);
  assert.deepEqual(only(table, 'MG'), [{ MG: '00000000-0000-0000-0000-000000000001' }]);
});

test('TimeGenerated and Computer are those of the row, where the stream declares them', () => {
  const record = { TimeGenerated: '2026-03-04T11:00:00Z', Computer: 'web1' };
  const declared = [column('TimeGenerated', 'datetime'), column('Computer', 'string')];
  const table = shaping()
    .add(called(TABLE, declared, [record, { ...record, TimeGenerated: '2020-01-01T00:00:00Z' }, {}]), called(TABLE, [], [record]))
    .table(TABLE);
  assert.deepEqual(only(table, 'TimeGenerated', 'Computer'), [
    { TimeGenerated: NOON - 3_600_000, Computer: 'web1' },
    { TimeGenerated: NOON, Computer: 'web1' },
    { TimeGenerated: NOON },
    { TimeGenerated: NOON },
  ]);
  assert.deepEqual(table.columns, []);
});

test('a column that was declared under the name that a field would get is that of the field', () => {
  const declared = called(TABLE, [column('Person_s', 'string'), column('Level_d', 'string')], [{ Person_s: 'ada', Level_d: 'high' }]);
  const table = shaping()
    .add(declared, custom('Door', [{ Person: 'grace', Level: 7 }, { Person: 'joan' }]), declared)
    .table(TABLE);
  assert.deepEqual(own(table), [
    { Person_s: 'ada', Level_d: 'high' },
    { Person_s: 'grace', Level_d_: 7 },
    { Person_s: 'joan' },
    { Person_s: 'ada', Level_d: 'high' },
  ]);
});

test('two fields never share a column, though each would get the name of the declared one', () => {
  const declared = called(TABLE, [column('Room_No_s', 'string')], [{ Room_No_s: 'a' }]);
  const table = shaping()
    .add(declared, custom('Door', [{ 'Room No': 'b', 'Room-No': 'c' }]))
    .table(TABLE);
  assert.deepEqual(own(table), [{ Room_No_s: 'a' }, { Room_No_s: 'b', Room_No_s_: 'c' }]);
});

test('a text is cut at 64 KiB', () => {
  const table = shaping()
    .add(called(TABLE, [column('f', 'string')], [{ f: 'ä'.repeat(40_000) }]))
    .table(TABLE);
  assert.equal(own(table)[0]?.['f'], 'ä'.repeat(32_768));
});

test('a declared AdditionalFields is a column like others', () => {
  const table = shaping()
    .add(called(TABLE, [column('AdditionalFields', 'dynamic')], [{ AdditionalFields: { a: 1 } }]))
    .table(TABLE);
  assert.deepEqual(own(table), [{ AdditionalFields: '{"a":1}' }]);
});
