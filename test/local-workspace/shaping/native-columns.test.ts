/** How the tables of the agents' protocol name and type columns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { AGENT, NOON, RELAY, uploaded } from '../tables/store-rig.ts';
import { only, own, shaping } from './shaping-rig.ts';

const GUID = '5B1F9A7E-3C2D-4E8F-9A6B-1C0D2E3F4A5B';

test('fields of known tables have the names and types of the service', () => {
  const line = { ident: 'sshd', Host: 'web1', HostIP: '10.0.0.1', ProcessId: '4711', Facility: 'auth', Severity: 'info', Message: 'hello' };
  const table = shaping()
    .add(uploaded('LINUX_SYSLOGS_BLOB', [{ ...line, EventTime: '2026-03-04 12:00:00' }]))
    .table('Syslog');
  assert.deepEqual(table.columns, [
    'ProcessName: string',
    'HostName: string',
    'HostIP: string',
    'ProcessID: int',
    'Facility: string',
    'SeverityLevel: string',
    'SyslogMessage: string',
    'EventTime: datetime',
  ]);
  const kept = { ProcessName: 'sshd', HostName: 'web1', HostIP: '10.0.0.1', ProcessID: 4_711, Facility: 'auth', SeverityLevel: 'info' };
  assert.deepEqual(own(table), [{ ...kept, SyslogMessage: 'hello', EventTime: NOON }]);
});

test('a value that does not fit the known type of its field has a column of its own', () => {
  const table = shaping()
    .add(uploaded('LINUX_SYSLOGS_BLOB', [{ ProcessId: 1 }, { ProcessId: 'none' }, { ProcessId: '2' }, { ProcessId: 'too' }]))
    .table('Syslog');
  assert.deepEqual(own(table), [{ ProcessID: 1 }, { ProcessID_s: 'none' }, { ProcessID: 2 }, { ProcessID_s: 'too' }]);
});

test('fields that nothing is known of keep their name, their value and its type', () => {
  const cases: [value: unknown, type: string, kept: unknown][] = [
    ['007', 'string', '007'],
    ['true', 'string', 'true'],
    [GUID, 'string', GUID],
    [7, 'real', 7],
    [true, 'bool', 1],
    ['2026-03-04T12:00:00.000Z', 'datetime', NOON],
    ['2026-03-04T12:00:00Z', 'string', '2026-03-04T12:00:00Z'],
    ['2026-03-04T12:00:00.1234567Z', 'string', '2026-03-04T12:00:00.1234567Z'],
    ['2026-02-31T12:00:00.000Z', 'string', '2026-02-31T12:00:00.000Z'],
    [{ a: 1 }, 'dynamic', '{"a":1}'],
    [[], 'dynamic', '[]'],
  ];
  for (const [value, type, kept] of cases) {
    const table = shaping()
      .add(uploaded('Inventory', [{ f: value }]))
      .table('Inventory');
    assert.deepEqual([table.columns, own(table)], [[`f: ${type}`], [{ f: kept }]], JSON.stringify(value));
  }
});

test('values of different types under one name are each kept as they are', () => {
  const values = ['a', 7, '7', true, 'true', { x: 1 }, [2], '2026-03-04T12:00:00.000Z', '2026-03-04T12:00:00Z', null];
  const table = shaping()
    .add(
      uploaded(
        'Inventory',
        values.map((f) => ({ f })),
      ),
    )
    .table('Inventory');
  assert.deepEqual(own(table), [
    { f: 'a' },
    { f_d: 7 },
    { f: '7' },
    { f_b: 1 },
    { f: 'true' },
    { f_o: '{"x":1}' },
    { f_o: '[2]' },
    // Text was there first, and takes what says a time.
    { f: '2026-03-04T12:00:00.000Z' },
    { f: '2026-03-04T12:00:00Z' },
    {},
  ]);
});

test('a field with a name that all tables have does not get in its way', () => {
  const record = { TenantId: 'mine', Type: 'door', MG: 'x', _ItemId: 'y', _TimeReceived: 'z', Computer: 7, TimeGenerated: 'yesterday' };
  const table = shaping()
    .add(uploaded('Inventory', [record]))
    .table('Inventory');
  const kept = { TenantId_: 'mine', Type_: 'door', MG_: 'x', _ItemId_: 'y', _TimeReceived_: 'z', Computer_: 7, TimeGenerated_: 'yesterday' };
  assert.deepEqual(own(table), [kept]);
  assert.deepEqual(only(table, 'MG', 'Computer', 'TimeGenerated'), [{ MG: '00000000-0000-0000-0000-000000000001', TimeGenerated: NOON }]);
});

test('the table is that of the data type, else the data type itself', () => {
  const cases = [
    ['LINUX_SYSLOGS_BLOB', 'Syslog'],
    ['linux_syslogs_blob', 'Syslog'],
    ['HEALTH_ASSESSMENT_BLOB', 'Heartbeat'],
    ['Something New', 'Something_New'],
    ['Ünï', '_n_'],
  ] as const;
  for (const [dataType, table] of cases)
    assert.deepEqual(
      shaping()
        .add(uploaded(dataType, [{ a: 1 }]))
        .tables(),
      [table],
      dataType,
    );
});

test('a time that is out of bounds is that of receipt, and is kept as it came', () => {
  const day = 86_400_000;
  const cases: [offset: number, honoured: boolean][] = [
    [0, true],
    [-2 * day, true],
    [-2 * day - 1, false],
    [day, true],
    [day + 1, false],
    [-3_650 * day, false],
  ];
  for (const [offset, honoured] of cases) {
    const written = new Date(NOON + offset).toISOString();
    const rig = shaping().add(uploaded('Inventory', [{ TimeGenerated: written }]));
    const time = honoured ? NOON + offset : NOON;
    assert.deepEqual(only(rig.table('Inventory'), 'TimeGenerated', '_TimeReceived'), [{ TimeGenerated: time, _TimeReceived: NOON }], String(offset));
    assert.deepEqual(rig.days('Inventory'), [Math.floor(time / day)], String(offset));
    assert.deepEqual(own(rig.table('Inventory')), [honoured ? {} : { TimeGenerated_: NOON + offset }], String(offset));
  }
});

test('the time of a record is in the first field that may hold one', () => {
  const [at, later] = ['2026-03-04T11:00:00.000Z', '2026-03-04T11:30:00.000Z'];
  const cases: [record: Record<string, unknown>, time: number][] = [
    [{ Timestamp: at, EventTime: later }, Date.parse(at)],
    [{ EventTime: later, TimeGenerated: at }, Date.parse(later)],
    [{ Timestamp: 7, EventTime: later }, Date.parse(later)],
    [{ Timestamp: 'soon' }, NOON],
    [{}, NOON],
  ];
  for (const [record, time] of cases) {
    assert.deepEqual(
      only(
        shaping()
          .add(uploaded('Inventory', [record]))
          .table('Inventory'),
        'TimeGenerated',
      ),
      [{ TimeGenerated: time }],
      JSON.stringify(record),
    );
  }
});

test('a row tells whose it is, by which way it came, and its place', () => {
  const entries = [uploaded('Inventory', [{ Computer: 'web1' }, { Host: 'web2' }]), uploaded('Inventory', [{ Hostname: '' }], { senderId: RELAY })];
  const table = shaping()
    .add(...entries)
    .table('Inventory');
  const alone = '00000000-0000-0000-0000-000000000001';
  assert.deepEqual(only(table, 'Computer', 'MG', '$agent', '$dataType', '$seq', '$row'), [
    { Computer: 'web1', MG: alone, $agent: AGENT, $dataType: 'Inventory', $seq: 1, $row: 0 },
    { Computer: 'web2', MG: alone, $agent: AGENT, $dataType: 'Inventory', $seq: 1, $row: 1 },
    { MG: RELAY, $agent: AGENT, $dataType: 'Inventory', $seq: 2, $row: 0 },
  ]);
});

test('counters that come together are a row each, with their path', () => {
  const processor = { Host: 'web1', ObjectName: 'Processor', InstanceName: '_Total', Timestamp: '2026-03-04T12:00:00.000Z' };
  const counters = [
    { CounterName: '% Idle Time', Value: 12.5 },
    { CounterName: '% User Time', Value: '3' },
  ];
  const table = shaping()
    .add(uploaded('LINUX_PERF_BLOB', [{ ...processor, Collections: counters }]))
    .table('Perf');
  const shared = { Host: 'web1', ObjectName: 'Processor', InstanceName: '_Total', Timestamp: NOON };
  assert.deepEqual(own(table), [
    { ...shared, CounterName: '% Idle Time', CounterValue: 12.5, CounterPath: '\\\\web1\\Processor(_Total)\\% Idle Time' },
    { ...shared, CounterName: '% User Time', CounterValue: 3, CounterPath: '\\\\web1\\Processor(_Total)\\% User Time' },
  ]);
  assert.deepEqual(only(table, '$row'), [{ $row: 0 }, { $row: 1 }]);
});

test('counters of another form are one row, as they came', () => {
  for (const Collections of [[], [{ Name: 'x' }], 'none', [null]]) {
    const table = shaping()
      .add(uploaded('LINUX_PERF_BLOB', [{ ObjectName: 'Processor', Collections }]))
      .table('Perf');
    assert.equal(table.rows.length, 1, JSON.stringify(Collections));
    assert.deepEqual(own(table)[0]?.['Collections'], typeof Collections === 'string' ? Collections : JSON.stringify(Collections));
  }
});

test('a body is opened as its encoding says, and one object stands for an array of one', () => {
  const plain = uploaded('Inventory', [{ f: 'a' }]);
  for (const [encoding, body] of [
    ['identity', plain.body],
    ['deflate', deflateSync(plain.body)],
    ['gzip', gzipSync(plain.body)],
    ['identity', Buffer.from('{"DataType":"Inventory","DataItems":{"f":"a"}}')],
  ] as const) {
    const { head } = uploaded('Inventory', [], { encoding });
    assert.deepEqual(own(shaping().add({ head, body }).table('Inventory')), [{ f: 'a' }], encoding);
  }
});

test("the workspace's own records are rows of the table that it names", () => {
  const head = { kind: 'own', table: 'LAQueryLogs', receivedAt: NOON, encoding: 'identity' } as const;
  const table = shaping()
    .add({ head, body: Buffer.from('[{"QueryText":"Syslog | count","ResponseCode":200}]') })
    .table('LAQueryLogs');
  assert.deepEqual(own(table), [{ QueryText: 'Syslog | count', ResponseCode: 200 }]);
});
