/** OTLP requests as a sender writes them: for tests, and for measuring. */
import { messageType } from '../../src/intake/protocols/otlp/messages.ts';

export type OtlpType = 'application/x-protobuf' | 'application/json';

export const PROTOBUF: OtlpType = 'application/x-protobuf';
export const JSON_TYPE: OtlpType = 'application/json';

/** An export request with the names of OTLP's JSON; times as text. Whatever is left out is not sent. */
export interface OtlpRequest {
  readonly resourceLogs?: readonly OtlpResourceLogs[];
}

export interface OtlpResourceLogs {
  readonly resource?: { readonly attributes?: readonly OtlpAttribute[] };
  readonly scopeLogs?: readonly OtlpScopeLogs[];
  readonly schemaUrl?: string;
}

export interface OtlpScopeLogs {
  readonly scope?: { readonly name?: string; readonly version?: string; readonly attributes?: readonly OtlpAttribute[] };
  readonly logRecords?: readonly OtlpLogRecord[];
  readonly schemaUrl?: string;
}

export interface OtlpLogRecord {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: OtlpValue;
  readonly attributes?: readonly OtlpAttribute[];
  readonly droppedAttributesCount?: number;
  readonly flags?: number;
  /** Hexadecimal digits. */
  readonly traceId?: string;
  readonly spanId?: string;
  readonly eventName?: string;
}

export interface OtlpAttribute {
  readonly key?: string;
  readonly value?: OtlpValue;
}

export interface OtlpValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number | 'NaN' | 'Infinity' | '-Infinity';
  readonly arrayValue?: { readonly values?: readonly OtlpValue[] };
  readonly kvlistValue?: { readonly values?: readonly OtlpAttribute[] };
  /** Base64. */
  readonly bytesValue?: string;
}

/** A request in one of the formats. */
export function encodeRequest(type: OtlpType, request: OtlpRequest): Buffer {
  return type === JSON_TYPE ? Buffer.from(JSON.stringify(request)) : encodeMessage('ExportLogsServiceRequest', request);
}

/** A message in protobuf, by its short name. */
export function encodeMessage(name: string, message: object): Buffer {
  return messageType(name).encode(forProtobuf(message) as object);
}

// Ids are hexadecimal in OTLP's JSON alone, bytes base64; in protobuf both are bytes.
function forProtobuf(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => forProtobuf(one));
  if (typeof value === 'string' && (key === 'traceId' || key === 'spanId')) return Buffer.from(value, 'hex');
  if (typeof value === 'string' && key === 'bytesValue') return Buffer.from(value, 'base64');
  if (typeof value === 'string' && key === 'doubleValue') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, forProtobuf(one, name)]));
}

const WORDS = ['accepted', 'session', 'opened', 'for', 'user', 'deploy', 'from', 'port', 'closed', 'timeout', 'upstream', 'request'];

/** A request with `count` log records as a service writes them, about 175 bytes each in protobuf. Always the same one. */
export function createRequest(count: number): OtlpRequest {
  const logRecords = Array.from({ length: count }, (_, at): OtlpLogRecord => {
    const words = Array.from({ length: 14 }, (_word, place) => WORDS[(at * 7 + place * 5) % WORDS.length]);
    return {
      timeUnixNano: String(1_790_000_000_000_000_000n + BigInt(at) * 37_123_000n),
      observedTimeUnixNano: String(1_790_000_000_000_500_000n + BigInt(at) * 37_123_000n),
      severityNumber: 9,
      severityText: 'INFO',
      body: { stringValue: `${words.join(' ')} ${at}` },
      attributes: [
        { key: 'log.file.name', value: { stringValue: 'app.log' } },
        { key: 'thread.id', value: { intValue: String(at % 64) } },
      ],
    };
  });
  const attributes = [
    { key: 'service.name', value: { stringValue: 'orders' } },
    { key: 'host.name', value: { stringValue: 'node01.example.org' } },
  ];
  return { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ scope: { name: 'orders' }, logRecords }] }] };
}
