/** The same records for each protocol: lines of a web server, of about 175 bytes as JSON. Always the same ones. */
import { encodeRequest, JSON_TYPE, type OtlpRequest, PROTOBUF } from '../support/otlp-requests.ts';
import { seeded } from '../support/seeded.ts';

const START_MS = 1_790_000_000_000;

interface SentRecord {
  readonly TimeGenerated: string;
  readonly Computer: string;
  readonly Severity: string;
  readonly Message: string;
}

/** So many records as JSON objects. */
export function createRecords(count: number): string[] {
  return recordsOf(count).map((record) => JSON.stringify(record));
}

/** So many records as one OTLP export request, in both formats. */
export function otlpRequest(count: number): { readonly protobuf: Buffer; readonly json: Buffer } {
  const logRecords = recordsOf(count).map(({ TimeGenerated, Severity, Message }) => ({
    timeUnixNano: `${Date.parse(TimeGenerated)}000000`,
    severityText: Severity,
    severityNumber: 9,
    body: { stringValue: Message },
  }));
  const resource = { attributes: [{ key: 'host.name', value: { stringValue: 'web01.example.org' } }] };
  const request: OtlpRequest = { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'benchmark' }, logRecords }] }] };
  return { protobuf: encodeRequest(PROTOBUF, request), json: encodeRequest(JSON_TYPE, request) };
}

/** So many records as syslog messages (RFC 5424), framed by octet counting. */
export function syslogStream(count: number): Buffer {
  const messages = recordsOf(count).map(({ TimeGenerated, Computer, Message }) => `<134>1 ${TimeGenerated} ${Computer} nginx 300 - - ${Message}`);
  return Buffer.from(messages.map((message) => `${Buffer.byteLength(message)} ${message}`).join(''));
}

function recordsOf(count: number): SentRecord[] {
  const random = seeded(175);
  const draw = (below: number): number => Math.floor(random() * below);
  return Array.from({ length: count }, (_, at) => ({
    TimeGenerated: new Date(START_MS + at * 37).toISOString(),
    Computer: 'web01.example.org',
    Severity: 'info',
    Message: `10.0.${draw(256)}.${draw(256)} "GET /api/v2/orders/${draw(1_000_000)} HTTP/1.1" 200 ${draw(90_000)} ${draw(900)}ms`,
  }));
}
