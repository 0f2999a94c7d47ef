import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonFormat } from '../../../src/intake/protocols/otlp/json-format.ts';
import { protobufFormat } from '../../../src/intake/protocols/otlp/protobuf-format.ts';
import { readLogs } from '../../../src/intake/protocols/otlp/read-logs.ts';
import type { WireFormat } from '../../../src/intake/protocols/otlp/wire-format.ts';

async function rowsOf(format: WireFormat, body: Buffer): Promise<unknown[]> {
  const { bodies, rejected } = await readLogs(body, { format, maxBytes: 1024 * 1024, encoding: 'identity' });
  assert.equal(rejected, 0);
  return bodies.flatMap((one) => JSON.parse(one.toString()) as unknown[]);
}

function requestWith(record: string): string {
  return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`;
}

/** Each row: a log record in JSON, and its row. */
const TOLERATED: readonly (readonly [what: string, record: string, row: object])[] = [
  ['times as numbers, to the last digit', '{"timeUnixNano":1795354925999150131}', { TimeGenerated: '2026-11-22T13:42:05.999150Z' }],
  ['nulls', '{"timeUnixNano":null,"severityText":null,"body":null,"attributes":null,"traceId":null,"flags":null}', {}],
  ['a null among the kinds of a value', '{"body":{"stringValue":null,"intValue":"1"}}', { Body: 1 }],
  ['integers as numbers, to the last digit', '{"body":{"intValue":-9223372036854775807}}', { Body: '-9223372036854775807' }],
  ['a small integer as a number', '{"body":{"intValue":7}}', { Body: 7 }],
  ['an integer with a fraction of nothing', '{"body":{"intValue":7.0}}', { Body: 7 }],
  ['a number in digits', '{"body":{"doubleValue":"2.5e3"}}', { Body: 2500 }],
  ['a number as long as an integer', '{"body":{"doubleValue":12345678901234567890}}', { Body: 12345678901234567000 }],
  ['a text that looks like a long integer', '{"body":{"stringValue":": 12345678901234567890"}}', { Body: ': 12345678901234567890' }],
  ['base64 for addresses, without its end', '{"body":{"bytesValue":"_-8"}}', { Body: '/+8=' }],
  ['two kinds of a value: the last counts', '{"body":{"stringValue":"a","boolValue":true}}', { Body: true }],
  ['keys that are not known', '{"body":{"stringValue":"a","newValue":[{}]},"new":{"a":[1]},"severity_text":"x"}', { Body: 'a' }],
  ['counts in digits', '{"severityNumber":9,"droppedAttributesCount":"2","flags":"1"}', { SeverityNumber: 9, DroppedAttributes: 2, Flags: 1 }],
  ['a name of a key in escapes', '{"b\\u006fdy":{"stringValue":"a"}}', { Body: 'a' }],
  ['half a character', '{"body":{"stringValue":"\\ud800"}}', { Body: '\ud800' }],
];

/** Each row: a body in JSON that is no request. */
const BAD_JSON: readonly (readonly [what: string, body: string])[] = [
  ['nothing', ''],
  ['blanks', '  '],
  ['an array', '[]'],
  ['null', 'null'],
  ['something behind it', '{} {}'],
  ['no end', '{"resourceLogs":[]'],
  ['a list that has no end', '{"resourceLogs":[{}'],
  ['a comma too many', '{"resourceLogs":[{},]}'],
  ['a comma too many behind a key', '{"resourceLogs":[],}'],
  ['a key without a value', '{"resourceLogs"}'],
  ['a key that is a number', '{1:2}'],
  ['resourceLogs that are an object', '{"resourceLogs":{}}'],
  ['resourceLogs that are nothing', '{"resourceLogs":}'],
  ['a resourceLogs of null', '{"resourceLogs":[null]}'],
  ['scopeLogs that are a text', '{"resourceLogs":[{"scopeLogs":"x"}]}'],
  ['a resource that is a number', '{"resourceLogs":[{"resource":1}]}'],
  ['a resource that is no JSON', '{"resourceLogs":[{"resource":{"a"}}]}'],
  ['a scope that is a list', '{"resourceLogs":[{"scopeLogs":[{"scope":[]}]}]}'],
  ['a schema that is a number', '{"resourceLogs":[{"schemaUrl":1}]}'],
  ['an unknown key that is no JSON', '{"other":{"a":tru}}'],
  ['a record that is a number', requestWith('1')],
  ['a record that is no JSON', requestWith('{"a":}')],
  ['two records without a comma', requestWith('{} {}')],
  ['a body that is a text', requestWith('{"body":"a"}')],
  ['a time that is none', requestWith('{"timeUnixNano":"2026-11-22"}')],
  ['a time before 1970', requestWith('{"timeUnixNano":"-1"}')],
  ['a time of more than 64 bits', requestWith('{"timeUnixNano":"18446744073709551616"}')],
  ['a time with a fraction', requestWith('{"timeUnixNano":1.5}')],
  ['a severity by name', requestWith('{"severityNumber":"SEVERITY_NUMBER_INFO"}')],
  ['flags of more than 32 bits', requestWith('{"flags":4294967296}')],
  ['an id in base64', requestWith('{"traceId":"W47/95gDgQPSabYzgT/GDA=="}')],
  ['half an id', requestWith('{"spanId":"abc"}')],
  ['attributes as an object', requestWith('{"attributes":{"a":1}}')],
  ['an attribute that is a text', requestWith('{"attributes":["a"]}')],
  ['a key that is a number', requestWith('{"attributes":[{"key":1}]}')],
  ['a text that is a number', requestWith('{"body":{"stringValue":1}}')],
  ['a truth that is a text', requestWith('{"body":{"boolValue":"true"}}')],
  ['an integer with a fraction', requestWith('{"body":{"intValue":1.5}}')],
  ['an integer of more than 64 bits', requestWith('{"body":{"intValue":"9223372036854775808"}}')],
  ['a number in words', requestWith('{"body":{"doubleValue":"one"}}')],
  ['bytes that are none', requestWith('{"body":{"bytesValue":"a b"}}')],
  ['a list that is a text', requestWith('{"body":{"arrayValue":{"values":"a"}}}')],
];

/** Each row: a body in protobuf, in hexadecimal digits, that is no request. */
const BAD_PROTOBUF: readonly (readonly [what: string, body: string])[] = [
  ['a length without bytes', '0a05'],
  ['half a number', '0a80'],
  ['a tag of more than 32 bits', 'ffffffffff0f'],
  ['field 0', '0000'],
  ['field 0 with a length', '0200'],
  ['the end of a group that never began', '0c'],
  ['a group without its end', '0b'],
  ['a wire type that there is not', '0f'],
  ['a resource that is cut off', '0a020a05'],
  ['a resource with an attribute that is cut off', '0a040a020a05'],
  ['a scope whose name is not UTF-8', '0a0712050a030a01ff'],
  ['a schema that is not UTF-8', '0a031a01ff'],
  ['a record that is cut off', '0a06120412022a05'],
  ['a record whose text is not UTF-8', '0a09120712052a030a01ff'],
];

describe('OTLP in JSON', () => {
  for (const [what, record, row] of TOLERATED) {
    it(`may have ${what}`, async () => assert.deepEqual(await rowsOf(jsonFormat, Buffer.from(requestWith(record))), [row]));
  }

  it('may be spaced as it likes, with keys in any order and unknown ones anywhere', async () => {
    const json = `
      { "x" : [ "]" , { "}" : "\\"" } ] ,
        "resourceLogs" : [ { "y" : null , "scopeLogs" : [ { "logRecords" : [ { "body" : { "intValue" : 1 } } , { } ] , "z" : 1.5 } ] } , { } ] }
    `;
    assert.deepEqual(await rowsOf(jsonFormat, Buffer.from(json)), [{ Body: 1 }, {}]);
    assert.deepEqual(await rowsOf(jsonFormat, Buffer.from('{"resourceLogs":null}')), []);
  });

  for (const [what, body] of BAD_JSON) {
    it(`is refused with ${what}`, async () => {
      await assert.rejects(rowsOf(jsonFormat, Buffer.from(body)), {
        code: 'relay.intake.bad-otlp',
        message: /^The body is no OTLP request with log records: .+\.$/,
      });
    });
  }

  it('is refused when it is not UTF-8', async () => {
    const body = Buffer.from(requestWith('{"body":{"stringValue":"\u00e4"}}'), 'latin1');
    await assert.rejects(rowsOf(jsonFormat, body), { code: 'relay.intake.bad-otlp' });
  });
});

describe('OTLP in protobuf', () => {
  it('may have fields that are not known, of every wire type', async () => {
    const unknown = Buffer.from('78017900000000000000007a036162637b78017c7d00000000', 'hex');
    const record = Buffer.concat([unknown, Buffer.from('2a030a0161', 'hex'), unknown]);
    const enclose = (tag: number, bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.of(tag, ...(bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7])), bytes]);
    const enclosed = [0x12, 0x12, 0x0a].reduce((inner, tag) => Buffer.concat([unknown, enclose(tag, inner), unknown]), record);
    assert.deepEqual(await rowsOf(protobufFormat, enclosed), [{ Body: 'a' }]);
  });

  for (const [what, body] of BAD_PROTOBUF) {
    it(`is refused with ${what}`, async () => {
      await assert.rejects(rowsOf(protobufFormat, Buffer.from(body, 'hex')), { code: 'relay.intake.bad-otlp' });
    });
  }
});
