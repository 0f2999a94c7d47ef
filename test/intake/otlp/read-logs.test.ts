import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { formatOf } from '../../../src/intake/protocols/otlp/answers.ts';
import { MAX_RECORD_BYTES } from '../../../src/intake/protocols/otlp/log-record.ts';
import { type ReadLogs, readLogs } from '../../../src/intake/protocols/otlp/read-logs.ts';
import {
  createRequest,
  encodeMessage,
  encodeRequest,
  JSON_TYPE,
  type OtlpAttribute,
  type OtlpLogRecord,
  type OtlpRequest,
  type OtlpType,
  type OtlpValue,
  PROTOBUF,
} from '../../support/otlp-requests.ts';

const BOTH = [PROTOBUF, JSON_TYPE];
const MIB = 1024 * 1024;

function read(type: OtlpType, body: Buffer, maxBytes = MIB): Promise<ReadLogs> {
  const format = formatOf(type);
  assert.ok(format);
  return readLogs(body, { format, maxBytes, encoding: 'identity' });
}

function rowsIn({ bodies }: ReadLogs): unknown[] {
  return bodies.flatMap((body) => JSON.parse(body.toString()) as unknown[]);
}

/** The rows of a request, which must be the same in both formats. */
async function rowsOf(request: OtlpRequest): Promise<unknown[]> {
  const [first = [], second] = await Promise.all(BOTH.map(async (type) => rowsIn(await read(type, encodeRequest(type, request)))));
  assert.deepEqual(second, first);
  return first;
}

async function rowOf(record: OtlpLogRecord): Promise<unknown> {
  const [row] = await rowsOf({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
  return row;
}

function nested(levels: number, how: 'arrays' | 'lists'): OtlpValue {
  let value: OtlpValue = { stringValue: 'innermost' };
  for (let level = 0; level < levels; level += 1) {
    value = how === 'arrays' ? { arrayValue: { values: [value] } } : { kvlistValue: { values: [{ key: 'k', value }] } };
  }
  return value;
}

const GOOD: OtlpLogRecord = { body: { stringValue: 'good' } };
const NANOS = '1795354925999150131';

/** Each row: what a record has, and the columns of its row. */
const RECORDS: readonly (readonly [what: string, record: OtlpLogRecord, row: object])[] = [
  ['nothing', {}, {}],
  ['microseconds', { timeUnixNano: NANOS }, { TimeGenerated: '2026-11-22T13:42:05.999150Z' }],
  ['milliseconds', { timeUnixNano: '1795354925999000000' }, { TimeGenerated: '2026-11-22T13:42:05.999Z' }],
  ['the last time there is', { timeUnixNano: '18446744073709551615' }, { TimeGenerated: '2554-07-21T23:34:33.709551Z' }],
  ['when it was seen alone', { observedTimeUnixNano: NANOS }, { TimeGenerated: '2026-11-22T13:42:05.999150Z', ObservedTime: '2026-11-22T13:42:05.999150Z' }],
  [
    'both times',
    { timeUnixNano: '1795354925000000000', observedTimeUnixNano: '1795354926000000000' },
    { TimeGenerated: '2026-11-22T13:42:05.000Z', ObservedTime: '2026-11-22T13:42:06.000Z' },
  ],
  ['a severity', { severityNumber: 17, severityText: 'ERROR' }, { SeverityNumber: 17, SeverityText: 'ERROR' }],
  ['a severity that nobody knows', { severityNumber: 99 }, { SeverityNumber: 99 }],
  [
    'a place in a trace',
    { traceId: '5B8EFFF798038103D269B633813FC60C', spanId: 'eee19b7ec3c1b174', flags: 4294967295 },
    { TraceId: '5b8efff798038103d269b633813fc60c', SpanId: 'eee19b7ec3c1b174', Flags: 4294967295 },
  ],
  ['the name of an event', { eventName: 'device.lost' }, { EventName: 'device.lost' }],
  ['attributes that were dropped', { droppedAttributesCount: 3 }, { DroppedAttributes: 3 }],
  ['a text', { body: { stringValue: 'grüße, "世界" 🌍\n\u0000' } }, { Body: 'grüße, "世界" 🌍\n\u0000' }],
  ['an empty text', { body: { stringValue: '' } }, { Body: '' }],
  ['an empty value', { body: {} }, {}],
  ['false', { body: { boolValue: false } }, { Body: false }],
  ['zero', { body: { intValue: '0' } }, { Body: 0 }],
  ['an integer that a number holds', { body: { intValue: '-9007199254740991' } }, { Body: -9007199254740991 }],
  ['an integer that none holds', { body: { intValue: '9007199254740993' } }, { Body: '9007199254740993' }],
  ['the least integer', { body: { intValue: '-9223372036854775808' } }, { Body: '-9223372036854775808' }],
  ['a number', { body: { doubleValue: 1.5e-7 } }, { Body: 1.5e-7 }],
  ['no number', { body: { doubleValue: 'NaN' } }, { Body: 'NaN' }],
  ['minus infinity', { body: { doubleValue: '-Infinity' } }, { Body: '-Infinity' }],
  ['bytes', { body: { bytesValue: '/+8B' } }, { Body: '/+8B' }],
  ['no bytes', { body: { bytesValue: '' } }, { Body: '' }],
  [
    'values in values',
    { body: { kvlistValue: { values: [{ key: 'list', value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'two' }, {}] } } }] } } },
    { Body: { list: [1, 'two', null] } },
  ],
  ['empty lists', { body: { arrayValue: {} }, attributes: [{ key: 'a', value: { kvlistValue: {} } }] }, { Body: [], Attributes: { a: {} } }],
  [
    'a key twice: the last counts',
    { attributes: [{ key: 'a', value: { stringValue: 'first' } }, { key: 'b' }, { key: 'a', value: { stringValue: 'last' } }] },
    { Attributes: { a: 'last', b: null } },
  ],
  ['no key', { attributes: [{ value: { boolValue: true } }] }, { Attributes: { '': true } }],
];

describe('a log record', () => {
  for (const [what, record, row] of RECORDS) {
    it(`with ${what} has a row, the same from protobuf and JSON`, async () => assert.deepEqual(await rowOf(record), row));
  }

  it('may call an attribute as it likes', async () => {
    const attributes: OtlpAttribute[] = ['__proto__', 'constructor', 'toString'].map((key) => ({ key, value: { stringValue: key } }));
    const row = (await rowOf({ attributes })) as { readonly Attributes: object };
    assert.deepEqual(Object.entries(row.Attributes), [
      ['__proto__', '__proto__'],
      ['constructor', 'constructor'],
      ['toString', 'toString'],
    ]);
  });

  it('has values 32 deep, and is rejected alone when they are deeper, however deep', async () => {
    for (const type of BOTH) {
      for (const how of ['arrays', 'lists'] as const) {
        const { records, rejected } = await read(type, enclosed(type, { attributes: [{ key: 'k', value: nested(32, how) }], body: nested(32, how) }));
        assert.deepEqual([records, rejected], [2, 0]);
      }
      for (const bytes of [enclosed(type, { body: nested(33, 'arrays') }), endless(type, 'lists', 33), endless(type, 'arrays', 20_000)]) {
        const { bodies, ...result } = await read(type, bytes);
        assert.deepEqual(result, { records: 2, rejected: 1, reason: 'it has values that are nested more than 32 deep' }, type);
        assert.deepEqual(rowsIn({ bodies, ...result }), [{ Body: 'good' }]);
      }
    }
  });
});

/** A request with a record, and a good one behind it. */
function enclosed(type: OtlpType, record: OtlpLogRecord): Buffer {
  if (type === JSON_TYPE) return encodeRequest(type, withRecord(record));
  return requestOf(encodeMessage('LogRecord', record));
}

function requestOf(record: Buffer): Buffer {
  return field(1, field(2, Buffer.concat([field(2, record), field(2, encodeMessage('LogRecord', GOOD))])));
}

function withRecord(record: OtlpLogRecord): OtlpRequest {
  return { resourceLogs: [{ scopeLogs: [{ logRecords: [record, GOOD] }] }] };
}

/** Values in values, written byte by byte: no encoder goes so deep. */
function endless(type: OtlpType, how: 'arrays' | 'lists', levels: number): Buffer {
  if (type === JSON_TYPE) {
    const [open, close] = how === 'arrays' ? ['{"arrayValue":{"values":[', ']}}'] : ['{"kvlistValue":{"values":[{"value":', '}]}}'];
    const body = `${open.repeat(levels)}{"intValue":9007199254740993}${close.repeat(levels)}`;
    return Buffer.from(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${body}},${JSON.stringify(GOOD)}]}]}]}`);
  }
  const prefixes: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < levels; level += 1) {
    for (const id of how === 'arrays' ? [1, 5] : [2, 1, 6]) {
      const prefix = Buffer.from([(id << 3) | 2, ...varint(length)]);
      prefixes.push(prefix);
      length += prefix.length;
    }
  }
  return requestOf(field(5, Buffer.concat(prefixes.reverse())));
}

function field(id: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(id << 3) | 2, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

describe('what log records have in common', () => {
  it('is in each of their rows: resource and scope, with the addresses of their schemas', async () => {
    const attributes = [
      { key: 'service.name', value: { stringValue: 'orders' } },
      { key: 'host.name', value: { stringValue: 'node01' } },
    ];
    const rows = await rowsOf({
      resourceLogs: [
        {
          resource: { attributes },
          schemaUrl: 'https://schemas/resource',
          scopeLogs: [
            { logRecords: [{ body: { stringValue: 'one' } }, { body: { stringValue: 'two' } }] },
            {
              scope: { name: 'lib', version: '1.2', attributes: [{ key: 'short', value: { boolValue: true } }] },
              schemaUrl: 'https://schemas/scope',
              logRecords: [{}],
            },
          ],
        },
        { scopeLogs: [{ scope: { name: 'alone' }, logRecords: [{ body: { stringValue: 'three' } }] }] },
      ],
    });
    const Resource = { 'service.name': 'orders', 'host.name': 'node01' };
    const shared = { Computer: 'node01', Resource, ResourceSchemaUrl: 'https://schemas/resource' };
    assert.deepEqual(rows, [
      { Body: 'one', ...shared },
      { Body: 'two', ...shared },
      { ScopeName: 'lib', ScopeVersion: '1.2', ScopeAttributes: { short: true }, ScopeSchemaUrl: 'https://schemas/scope', ...shared },
      { Body: 'three', ScopeName: 'alone' },
    ]);
  });

  it('may stand behind the records', async () => {
    const json = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}],"scope":{"name":"s"}}],"resource":{"attributes":[{"key":"r","value":{"intValue":1}}]}}]}';
    assert.deepEqual(rowsIn(await read(JSON_TYPE, Buffer.from(json))), [{ ScopeName: 's', Resource: { r: 1 } }]);
    const scopeLogs = Buffer.concat([field(2, Buffer.alloc(0)), field(1, field(1, Buffer.from('s')))]);
    const resource = field(1, field(1, field(1, Buffer.from('r'))));
    assert.deepEqual(rowsIn(await read(PROTOBUF, field(1, Buffer.concat([field(2, scopeLogs), resource])))), [{ ScopeName: 's', Resource: { r: null } }]);
  });

  it('is merged in protobuf when it comes in two parts', async () => {
    const part = (key: string): Buffer => field(1, field(1, field(1, Buffer.from(key))));
    const body = field(1, Buffer.concat([part('a'), field(2, field(2, Buffer.alloc(0))), part('b')]));
    assert.deepEqual(rowsIn(await read(PROTOBUF, body)), [{ Resource: { a: null, b: null } }]);
  });
});

describe('a request', () => {
  it('without log records has no body', async () => {
    for (const request of [{}, { resourceLogs: [] }, { resourceLogs: [{}] }, { resourceLogs: [{ resource: {}, scopeLogs: [{}] }] }]) {
      for (const type of BOTH) assert.deepEqual(await read(type, encodeRequest(type, request)), { bodies: [], records: 0, rejected: 0, reason: '' });
    }
  });

  it('is cut into bodies that are no larger than they may be, with every record once and in order', async () => {
    const request = createRequest(5_000);
    for (const type of BOTH) {
      const { bodies, rejected } = await read(type, encodeRequest(type, request), 512 * 1024);
      assert.equal(rejected, 0);
      assert.ok(bodies.length > 3, `${bodies.length}`);
      assert.ok(bodies.every(({ length }) => length <= 512 * 1024));
      assert.ok(bodies.slice(0, -1).every(({ length }) => length > 511 * 1024));
      const texts = bodies.flatMap((body) => (JSON.parse(body.toString()) as { Body: string }[]).map(({ Body }) => Body));
      const [{ scopeLogs: [{ logRecords = [] } = {}] = [] } = {}] = request.resourceLogs ?? [];
      assert.deepEqual(
        texts,
        logRecords.map(({ body }) => body?.stringValue),
      );
    }
  });

  it('is compressed when that is wanted', async () => {
    const format = formatOf(PROTOBUF);
    assert.ok(format);
    const request = encodeRequest(PROTOBUF, createRequest(1_000));
    const [gzipped] = (await readLogs(request, { format, maxBytes: MIB, encoding: 'gzip' })).bodies;
    const [plain] = (await read(PROTOBUF, request)).bodies;
    assert.ok(gzipped && plain);
    assert.ok(gunzipSync(gzipped).equals(plain));
    assert.ok(gzipped.length < plain.length / 5);
  });

  it('lets others have their turn while it is read', async () => {
    let turns = 0;
    const ticker = setInterval(() => {
      turns += 1;
    }, 0);
    await read(PROTOBUF, encodeRequest(PROTOBUF, createRequest(20_000)), 32 * MIB);
    clearInterval(ticker);
    assert.ok(turns > 10, `${turns} turns`);
  });

  it('loses a record alone that is larger than one call of the service, as it came or as a row', async () => {
    const long = 'x'.repeat(MAX_RECORD_BYTES);
    // A line feed is one byte in protobuf, and two in a row.
    const escaped = '\n'.repeat(MAX_RECORD_BYTES / 2);
    for (const type of BOTH) {
      for (const stringValue of [long, escaped]) {
        const { bodies, ...result } = await read(type, encodeRequest(type, withRecord({ body: { stringValue } })));
        assert.deepEqual(result, { records: 2, rejected: 1, reason: `it is larger than ${MAX_RECORD_BYTES} bytes, with its resource and scope` });
        assert.deepEqual(rowsIn({ bodies, ...result }), [{ Body: 'good' }]);
      }
    }
  });

  it('loses a record alone that is too large as it came, though its row would be small', async () => {
    const unknown = Buffer.alloc(MAX_RECORD_BYTES, ' ');
    const protobuf = requestOf(Buffer.concat([field(15, unknown), encodeMessage('LogRecord', GOOD)]));
    const json = encodeRequest(JSON_TYPE, withRecord({ ...GOOD, unknown: unknown.toString() } as OtlpLogRecord));
    for (const [type, body] of [
      [PROTOBUF, protobuf],
      [JSON_TYPE, json],
    ] as const) {
      const { bodies, ...result } = await read(type, body);
      assert.deepEqual([result.records, result.rejected], [2, 1]);
      assert.deepEqual(rowsIn({ bodies, ...result }), [{ Body: 'good' }]);
    }
  });

  it('loses a record alone that is too large together with its resource', async () => {
    const half = { stringValue: 'x'.repeat(MAX_RECORD_BYTES / 2) };
    const request = { resourceLogs: [{ resource: { attributes: [{ key: 'k', value: half }] }, scopeLogs: [{ logRecords: [{ body: half }, GOOD] }] }] };
    for (const type of BOTH) {
      const { bodies, ...result } = await read(type, encodeRequest(type, request), 4 * MIB);
      assert.deepEqual([result.records, result.rejected], [2, 1]);
      assert.deepEqual(
        rowsIn({ bodies, ...result }).map((row) => (row as { readonly Body: unknown }).Body),
        ['good'],
      );
    }
  });

  it('loses all records of a resource or scope that is too large, and no others', async () => {
    const attributes = [{ key: 'k', value: { stringValue: 'x'.repeat(MAX_RECORD_BYTES) } }];
    const logRecords = [{ body: { intValue: '1' } }, { body: { intValue: '2' } }];
    const request: OtlpRequest = {
      resourceLogs: [
        { resource: { attributes }, scopeLogs: [{ logRecords }, { logRecords }] },
        { scopeLogs: [{ scope: { attributes }, logRecords }, { logRecords }] },
      ],
    };
    for (const type of BOTH) {
      const { bodies, ...result } = await read(type, encodeRequest(type, request));
      assert.deepEqual([result.records, result.rejected], [8, 6]);
      assert.deepEqual(rowsIn({ bodies, ...result }), [{ Body: 1 }, { Body: 2 }]);
    }
  });

  it('makes no more bytes than four full bodies, however large the resource that each row repeats', async () => {
    const resource = { attributes: [{ key: 'k', value: { stringValue: 'x'.repeat(MAX_RECORD_BYTES / 2) } }] };
    const logRecords = Array.from({ length: 100_000 }, () => ({}));
    const request = { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }, { scopeLogs: [{ logRecords: [GOOD] }] }] };
    for (const type of BOTH) {
      const { bodies, records, rejected, reason } = await read(type, encodeRequest(type, request));
      // What comes behind is not read any more, small as it may be.
      assert.deepEqual([bodies.length, records, rejected], [4, 100_001, 99_993]);
      assert.equal(reason, `the rows before it have nearly ${4 * MIB} bytes, and those of one request may have no more`);
    }
  });

  it('with more resources, scopes, records or other fields than anybody sends is refused whole', async () => {
    const many: readonly (readonly [OtlpType, Buffer])[] = [
      [PROTOBUF, repeated(field(1, Buffer.alloc(0)), 65_537)],
      [JSON_TYPE, Buffer.from(`{"resourceLogs":[${'{},'.repeat(65_536)}{}]}`)],
      [PROTOBUF, field(1, repeated(field(2, Buffer.alloc(0)), 65_536))],
      [PROTOBUF, field(1, field(2, repeated(field(2, Buffer.alloc(0)), 1_000_000)))],
      [JSON_TYPE, Buffer.from(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[${'{},'.repeat(1_000_000)}{}]}]}]}`)],
      [PROTOBUF, Buffer.alloc(2_000_002, Buffer.from([0x38, 0x01]))],
      [JSON_TYPE, Buffer.from(`{${'"a":1,'.repeat(1_000_000)}"a":1}`)],
    ];
    for (const [type, body] of many) await assert.rejects(read(type, body, 32 * MIB), { code: 'relay.intake.too-large' });
  });
});

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.alloc(bytes.length * times, bytes);
}
