/** OTLP in protobuf (`application/x-protobuf`). */
import { isUtf8 } from 'node:buffer';
import { Reader } from 'protobufjs/light.js';
import { createFindings, type Findings } from './findings.ts';
import { type Attributes, attributesFrom, checkDepth, doubleOf, integerOf, type Json, type LogRecord, malformed, type Scope, tooDeep } from './log-record.ts';
import { type AnyValueMessage, type Int64, type KeyValueMessage, LOG_RECORD, type MessageType, RESOURCE, RESPONSE, SCOPE, STATUS } from './messages.ts';
import type { ResourcePlaces, ScopePlaces, WireFormat } from './wire-format.ts';

const LENGTH_DELIMITED = 2;
/** What the library says of messages in messages, a hundred deep. */
const TOO_DEEP = 'max depth exceeded';

export const protobufFormat: WireFormat = {
  type: 'application/x-protobuf',
  find(body) {
    const findings = createFindings();
    const resources: ResourcePlaces[] = [];
    eachMessage(body, findings, (id, start, end) => {
      if (id === 1) resources.push(resourcePlacesOf(body.subarray(start, end), findings));
    });
    return resources;
  },
  readResource: (bytes) => attributesOf(decode(RESOURCE, bytes).attributes),
  readScope(bytes): Scope {
    const { name, version, attributes } = decode(SCOPE, bytes);
    return { name, version, attributes: attributesOf(attributes) };
  },
  readRecord(bytes): LogRecord {
    const record = decode(LOG_RECORD, bytes);
    return {
      time: unsignedOf(record.timeUnixNano),
      observedTime: unsignedOf(record.observedTimeUnixNano),
      severityNumber: record.severityNumber,
      severityText: record.severityText,
      body: record.body ? (jsonOf(record.body, 0) ?? undefined) : undefined,
      attributes: attributesOf(record.attributes),
      droppedAttributes: record.droppedAttributesCount,
      flags: record.flags,
      traceId: record.traceId.toString('hex'),
      spanId: record.spanId.toString('hex'),
      eventName: record.eventName,
    };
  },
  writeResponse: (partial) => RESPONSE.encode(partial ? { partialSuccess: { rejectedLogRecords: partial.rejected, errorMessage: partial.message } } : {}),
  writeStatus: (status) => STATUS.encode(status),
};

function resourcePlacesOf(bytes: Buffer, findings: Findings): ResourcePlaces {
  findings.group();
  const resource: Buffer[] = [];
  const scopes: ScopePlaces[] = [];
  let schemaUrl = '';
  eachMessage(bytes, findings, (id, start, end) => {
    if (id === 1) resource.push(bytes.subarray(start, end));
    else if (id === 2) scopes.push(scopePlacesOf(bytes.subarray(start, end), findings));
    else if (id === 3) schemaUrl = textOf(bytes, start, end);
  });
  return { resource: merged(resource), schemaUrl, scopes };
}

function scopePlacesOf(bytes: Buffer, findings: Findings): ScopePlaces {
  findings.group();
  const scope: Buffer[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let schemaUrl = '';
  eachMessage(bytes, findings, (id, start, end) => {
    if (id === 1) scope.push(bytes.subarray(start, end));
    else if (id === 2) {
      starts.push(start);
      ends.push(end);
    } else if (id === 3) schemaUrl = textOf(bytes, start, end);
  });
  return { scope: merged(scope), schemaUrl, bytes, starts, ends };
}

// A message that comes twice means the same as both one behind the other (protobuf's encoding guide).
function merged(parts: readonly Buffer[]): Buffer | undefined {
  return parts.length > 1 ? Buffer.concat(parts) : parts[0];
}

/** Visits the fields of a message that are messages or texts, without opening them. */
function eachMessage(bytes: Buffer, findings: Findings, visit: (id: number, start: number, end: number) => void): void {
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    findings.part();
    const place = orMalformed(() => nextField(reader));
    if (place) visit(place.id, place.start, reader.pos);
  }
}

function nextField(reader: Reader): { readonly id: number; readonly start: number } | undefined {
  const tag = reader.tag();
  const id = tag >>> 3;
  if ((tag & 7) !== LENGTH_DELIMITED || id === 0) {
    reader.skipType(tag & 7, 0, id);
    return undefined;
  }
  const length = reader.size();
  const start = reader.pos;
  reader.skip(length);
  return { id, start };
}

function textOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.subarray(start, end);
  if (!isUtf8(text)) throw malformed('a text in it is not UTF-8');
  return text.toString();
}

function decode<Value>(type: MessageType<Value>, bytes: Buffer): Value {
  return orMalformed(() => type.decode(bytes));
}

function orMalformed<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && error.message === TOO_DEEP) throw tooDeep();
    throw malformed('it is not the protobuf that its Content-Type says', error);
  }
}

function attributesOf(pairs: readonly KeyValueMessage[], depth = 0): Attributes {
  return attributesFrom(pairs.map(({ key, value }) => [key, value ? jsonOf(value, depth) : null]));
}

function jsonOf(any: AnyValueMessage, depth: number): Json {
  checkDepth(depth);
  switch (any.value ?? 'none') {
    case 'stringValue':
      return any.stringValue;
    case 'boolValue':
      return any.boolValue;
    case 'intValue':
      return integerOf(BigInt.asIntN(64, unsignedOf(any.intValue)));
    case 'doubleValue':
      return doubleOf(any.doubleValue);
    case 'arrayValue':
      return any.arrayValue.values.map((value) => jsonOf(value, depth + 1));
    case 'kvlistValue':
      return attributesOf(any.kvlistValue.values, depth + 1);
    case 'bytesValue':
      return any.bytesValue.toString('base64');
    case 'none':
      return null;
  }
}

function unsignedOf({ low, high }: Int64): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
