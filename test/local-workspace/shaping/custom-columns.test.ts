/** How the Data Collector API names and types columns ("Record type and properties"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_COLUMNS } from '../../../src/local-workspace/shaping/table-columns.ts';
import { called, custom, NOON } from '../tables/store-rig.ts';
import { only, own, shaping } from './shaping-rig.ts';

const GUID = '5B1F9A7E-3C2D-4E8F-9A6B-1C0D2E3F4A5B';

test('a column of a custom log bears the type of its first value as a suffix', () => {
  const cases: [value: unknown, column: string, kept: unknown][] = [
    ['text', 'f_s: string', 'text'],
    ['', 'f_s: string', ''],
    ['007', 'f_s: string', '007'],
    ['true', 'f_s: string', 'true'],
    [7, 'f_d: real', 7],
    [-0.5, 'f_d: real', -0.5],
    [true, 'f_b: bool', 1],
    [false, 'f_b: bool', 0],
    ['2026-03-04T12:00:00Z', 'f_t: datetime', NOON],
    ['2026-03-04T12:00:00.250Z', 'f_t: datetime', NOON + 250],
    ['2026-03-04 12:00:00', 'f_s: string', '2026-03-04 12:00:00'],
    ['2026-13-04T12:00:00Z', 'f_s: string', '2026-13-04T12:00:00Z'],
    [GUID, 'f_g: guid', GUID.toLowerCase()],
    [`{${GUID}}`, 'f_g: guid', GUID.toLowerCase()],
    [{ a: [1] }, 'f_s: string', '{"a":[1]}'],
    [[1, 2], 'f_s: string', '[1,2]'],
  ];
  for (const [value, column, kept] of cases) {
    const table = shaping()
      .add(custom('Door', [{ f: value }]))
      .table('Door_CL');
    assert.deepEqual(table.columns, [column], JSON.stringify(value));
    assert.deepEqual(own(table), [{ [column.split(':')[0] as string]: kept }], JSON.stringify(value));
  }
});

test('null makes no column, and no value', () => {
  const table = shaping()
    .add(custom('Door', [{ f: null, g: 1 }]))
    .table('Door_CL');
  assert.deepEqual([table.columns, own(table)], [['g_d: real'], [{ g_d: 1 }]]);
});

test('a value that says one of an existing column is converted; one that does not gets a column of its own', () => {
  const table = shaping()
    .add(custom('Door', [{ number: 1, flag: true, when: '2026-03-04T12:00:00Z', id: GUID, text: 'a' }]))
    .add(custom('Door', [{ number: '2.5', flag: 'False', when: '2026-03-04T12:00:01Z', id: `{${GUID}}`, text: 'b' }]))
    .add(custom('Door', [{ number: 'many', flag: 'perhaps', when: 'soon', id: 'none', text: 7 }]))
    .add(custom('Door', [{ number: '3', flag: 'true', when: 'later', id: 'none', text: '7' }]))
    .table('Door_CL');
  assert.deepEqual(own(table), [
    { number_d: 1, flag_b: 1, when_t: NOON, id_g: GUID.toLowerCase(), text_s: 'a' },
    { number_d: 2.5, flag_b: 0, when_t: NOON + 1_000, id_g: GUID.toLowerCase(), text_s: 'b' },
    { number_s: 'many', flag_s: 'perhaps', when_s: 'soon', id_s: 'none', text_d: 7 },
    { number_d: 3, flag_b: 1, when_s: 'later', id_s: 'none', text_s: '7' },
  ]);
});

test('what came as text first stays text', () => {
  const table = shaping()
    .add(
      custom('Door', [
        { number: '2', flag: 'true' },
        { number: '3', flag: 'false' },
      ]),
    )
    .table('Door_CL');
  assert.deepEqual(own(table), [
    { number_s: '2', flag_s: 'true' },
    { number_s: '3', flag_s: 'false' },
  ]);
});

test('a number too large for any is kept as its text', () => {
  const table = shaping()
    .add(custom('Door', [{ n: 1 }, { n: '1e999' }]))
    .table('Door_CL');
  assert.deepEqual(own(table), [{ n_d: 1 }, { n_s: '1e999' }]);
});

test('a name has letters, digits and underscores, and no two fields share a column', () => {
  const record = { 'Room No.': 'a', 'Room-No_': 'b', Room_No_: 'c', '1st': 'd', '': 'e', Zürich: 'f' };
  const table = shaping()
    .add(custom('Door', [record, record]))
    .table('Door_CL');
  const kept = { Room_No__s: 'a', Room_No__s_: 'b', Room_No__s__: 'c', _1st_s: 'd', __s: 'e', Z_rich_s: 'f' };
  assert.deepEqual(own(table), [kept, kept]);
});

test('fields named as what objects have of themselves are fields like others', () => {
  const body = Buffer.from('[{"__proto__":"a","constructor":"b","toString":"c","hasOwnProperty":"d"}]');
  const table = shaping()
    .add({ ...custom('Door', [{}]), body })
    .table('Door_CL');
  assert.deepEqual(own(table), [{ __proto___s: 'a', constructor_s: 'b', toString_s: 'c', hasOwnProperty_s: 'd' }]);
});

test('a table takes 500 columns; what comes under further names is together in AdditionalFields, and nothing is lost', () => {
  const many = Object.fromEntries(Array.from({ length: MAX_COLUMNS }, (_, at) => [`f${at}`, at]));
  const body = Buffer.from('[{"f0":7,"late":"x","nested":{"a":1},"__proto__":"own","none":null}]');
  const table = shaping()
    .add(custom('Wide', [many]), { ...custom('Wide', [{}]), body })
    .table('Wide_CL');
  assert.equal(table.columns.length, MAX_COLUMNS + 1);
  assert.equal(table.columns.at(-1), 'AdditionalFields: dynamic');
  assert.deepEqual(own(table)[1], { f0_d: 7, AdditionalFields: '{"late":"x","nested":{"a":1},"__proto__":"own"}' });
  assert.equal(own(table)[0]?.['f499_d'], 499);
});

test('a Log-Type is a table of its own, with _CL behind it once', () => {
  const tables = shaping().add(custom('Door', [{ a: 1 }]), custom('Door_CL', [{ a: 2 }]), custom('door', [{ a: 3 }]));
  assert.deepEqual(tables.tables(), ['Door_CL', 'door_CL']);
  assert.deepEqual(own(tables.table('Door_CL')), [{ a_d: 1 }, { a_d: 2 }]);
});

test('the time of a record is in the field that the header names, else in none', () => {
  const later = '2026-03-04T13:00:00Z';
  const table = shaping()
    .add(custom('Door', [{ At: later }], 'At'), custom('Door', [{ At: later }, { TimeGenerated: later }]), custom('Door', [{ TimeGenerated: later }], 'At'))
    .table('Door_CL');
  assert.deepEqual(
    only(table, 'TimeGenerated').map(({ TimeGenerated: time }) => (time as number) - NOON),
    [3_600_000, 0, 3_600_000, 0],
  );
});

test('what a stream declares and what the Data Collector brings to the same table are different columns', () => {
  const table = shaping()
    .add(custom('Door', [{ Person: 'ada' }]))
    .add(called('Door_CL', [{ name: 'Person', type: 'string' }], [{ Person: 'grace' }]))
    .add(custom('Door', [{ Person: 'joan' }]))
    .table('Door_CL');
  assert.deepEqual(own(table), [{ Person_s: 'ada' }, { Person: 'grace' }, { Person_s: 'joan' }]);
});
