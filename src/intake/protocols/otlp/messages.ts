/**
 * The protobuf messages of OTLP logs (opentelemetry-proto 1.x), and google.rpc.Status for refusals: names, numbers and types. The OpenTelemetry
 * packages for JavaScript only write requests and read answers; the other direction is described here.
 */
import { type Message, type Reader, Root, type Type } from 'protobufjs/light.js';

/** A 64-bit integer as it was decoded, its halves with or without sign. */
export interface Int64 {
  readonly low: number;
  readonly high: number;
}

/** The key that is named by `value` is there; none of them in an empty value. */
export interface AnyValueMessage {
  readonly value?: 'stringValue' | 'boolValue' | 'intValue' | 'doubleValue' | 'arrayValue' | 'kvlistValue' | 'bytesValue';
  readonly stringValue: string;
  readonly boolValue: boolean;
  readonly intValue: Int64;
  readonly doubleValue: number;
  readonly arrayValue: { readonly values: readonly AnyValueMessage[] };
  readonly kvlistValue: { readonly values: readonly KeyValueMessage[] };
  readonly bytesValue: Buffer;
}

export interface KeyValueMessage {
  readonly key: string;
  readonly value?: AnyValueMessage | null;
}

export interface ResourceMessage {
  readonly attributes: readonly KeyValueMessage[];
}

export interface InstrumentationScopeMessage extends ResourceMessage {
  readonly name: string;
  readonly version: string;
}

export interface LogRecordMessage extends ResourceMessage {
  readonly timeUnixNano: Int64;
  readonly observedTimeUnixNano: Int64;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body?: AnyValueMessage | null;
  readonly droppedAttributesCount: number;
  readonly flags: number;
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly eventName: string;
}

/** One kind of message. */
export interface MessageType<Value> {
  /** Throws for bytes that are none. A field that is not there has its default. */
  decode(bytes: Buffer | Reader): Value;
  encode(value: object): Buffer;
}

type Fields = Readonly<Record<string, readonly [type: string, id: number, rule?: 'repeated']>>;

/** All messages, by their short names. */
export const MESSAGES: Root = Root.fromJSON({
  nested: {
    ExportLogsServiceRequest: message({ resourceLogs: ['ResourceLogs', 1, 'repeated'] }),
    ResourceLogs: message({ resource: ['Resource', 1], scopeLogs: ['ScopeLogs', 2, 'repeated'], schemaUrl: ['string', 3] }),
    ScopeLogs: message({ scope: ['InstrumentationScope', 1], logRecords: ['LogRecord', 2, 'repeated'], schemaUrl: ['string', 3] }),
    Resource: message({ attributes: ['KeyValue', 1, 'repeated'], droppedAttributesCount: ['uint32', 2] }),
    InstrumentationScope: message({
      name: ['string', 1],
      version: ['string', 2],
      attributes: ['KeyValue', 3, 'repeated'],
      droppedAttributesCount: ['uint32', 4],
    }),
    LogRecord: message({
      timeUnixNano: ['fixed64', 1],
      severityNumber: ['int32', 2],
      severityText: ['string', 3],
      body: ['AnyValue', 5],
      attributes: ['KeyValue', 6, 'repeated'],
      droppedAttributesCount: ['uint32', 7],
      flags: ['fixed32', 8],
      traceId: ['bytes', 9],
      spanId: ['bytes', 10],
      observedTimeUnixNano: ['fixed64', 11],
      eventName: ['string', 12],
    }),
    KeyValue: message({ key: ['string', 1], value: ['AnyValue', 2] }),
    AnyValue: message(
      {
        stringValue: ['string', 1],
        boolValue: ['bool', 2],
        intValue: ['int64', 3],
        doubleValue: ['double', 4],
        arrayValue: ['ArrayValue', 5],
        kvlistValue: ['KeyValueList', 6],
        bytesValue: ['bytes', 7],
      },
      'value',
    ),
    ArrayValue: message({ values: ['AnyValue', 1, 'repeated'] }),
    KeyValueList: message({ values: ['KeyValue', 1, 'repeated'] }),
    ExportLogsServiceResponse: message({ partialSuccess: ['ExportLogsPartialSuccess', 1] }),
    ExportLogsPartialSuccess: message({ rejectedLogRecords: ['int64', 1], errorMessage: ['string', 2] }),
    Status: message({ code: ['int32', 1], message: ['string', 2] }),
  },
});

export const RESOURCE: MessageType<ResourceMessage> = messageType('Resource');
export const SCOPE: MessageType<InstrumentationScopeMessage> = messageType('InstrumentationScope');
export const LOG_RECORD: MessageType<LogRecordMessage> = messageType('LogRecord');
export const RESPONSE: MessageType<object> = messageType('ExportLogsServiceResponse');
export const STATUS: MessageType<object> = messageType('Status');

/** A message by its name in `MESSAGES`. */
export function messageType<Value>(name: string): MessageType<Value> {
  const type: Type = MESSAGES.lookupType(name);
  return {
    decode: (bytes) => type.decode(bytes) as Message & Value,
    encode: (value) => Buffer.from(type.encode(value).finish()),
  };
}

// Proto3, which is what a description in JSON is read as: texts must be UTF-8, and an unknown number of an enumeration is kept.
function message(fields: Fields, oneOf?: string): object {
  const described = Object.entries(fields).map(([name, [type, id, rule]]) => [name, { type, id, ...(rule ? { rule } : {}) }]);
  return { fields: Object.fromEntries(described), ...(oneOf === undefined ? {} : { oneofs: { [oneOf]: { oneof: Object.keys(fields) } } }) };
}
