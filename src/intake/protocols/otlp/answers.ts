/** How OTLP/HTTP answers: with messages of its own, in the request's format (OTLP specification, "OTLP/HTTP Response"). */
import type { ErrorCode } from '../../../errors.ts';
import type { ProtocolWords } from '../../protocol-words.ts';
import type { RefusalWriter, WrittenRefusal } from '../../refusal-writer.ts';
import { jsonFormat } from './json-format.ts';
import { protobufFormat } from './protobuf-format.ts';
import type { ReadLogs } from './read-logs.ts';
import type { PartialSuccess, WireFormat } from './wire-format.ts';

const FORMATS = new Map<string, WireFormat>([protobufFormat, jsonFormat].map((format) => [format.type, format]));

/** The format of a Content-Type; undefined for any other. */
export function formatOf(contentType: string): WireFormat | undefined {
  return FORMATS.get(contentType);
}

/** What a sender is told of records that were not kept; undefined when all were. */
export function partialSuccessOf({ records, rejected, reason }: Pick<ReadLogs, 'records' | 'rejected' | 'reason'>): PartialSuccess | undefined {
  if (rejected === 0) return undefined;
  return { rejected, message: `${rejected} of ${records} log records were not kept. The first: ${reason}.` };
}

// Numbers of google.rpc.Code.
const NUMBERS: Readonly<Record<string, number>> = {
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** Status, as the specification has it, and the name of the code in the Status message. Senders come back at 429 and 503 alone. */
export const OTLP_WORDS: ProtocolWords = new Map<ErrorCode, readonly [number, string]>([
  ['relay.sender.no-credentials', [401, 'UNAUTHENTICATED']],
  ['relay.sender.bad-credentials', [401, 'UNAUTHENTICATED']],
  ['relay.sender.bad-token', [401, 'UNAUTHENTICATED']],
  ['relay.agent.pending', [403, 'PERMISSION_DENIED']],
  ['relay.agent.suspended', [403, 'PERMISSION_DENIED']],
  ['relay.agent.unknown-certificate', [403, 'PERMISSION_DENIED']],
  ['relay.agent.certificate-expired', [403, 'PERMISSION_DENIED']],
  ['relay.agent.certificate-replaced', [403, 'PERMISSION_DENIED']],
  ['relay.intake.bad-otlp', [400, 'INVALID_ARGUMENT']],
  ['relay.intake.bad-encoding', [400, 'INVALID_ARGUMENT']],
  ['relay.intake.bad-request', [400, 'INVALID_ARGUMENT']],
  ['relay.intake.unknown-path', [404, 'UNIMPLEMENTED']],
  ['relay.intake.too-large', [413, 'RESOURCE_EXHAUSTED']],
  ['relay.intake.bad-content-type', [415, 'INVALID_ARGUMENT']],
  ['relay.intake.unknown-encoding', [415, 'INVALID_ARGUMENT']],
  ['relay.enrolment.too-many-attempts', [429, 'RESOURCE_EXHAUSTED']],
  ['relay.cache.full', [503, 'UNAVAILABLE']],
  ['relay.cache.unavailable', [503, 'UNAVAILABLE']],
  // At 408 and 500 senders give their data up.
  ['relay.intake.too-slow', [503, 'UNAVAILABLE']],
  ['relay.internal', [503, 'UNAVAILABLE']],
]);

/** Seconds until a sender comes back, where the table of errors has none. */
const RETRY_AFTER_S = 10;

/** A refusal as a Status, in the request's format; in JSON when that is no format of OTLP. */
export const writeRefusal: RefusalWriter = ({ code, status, message, retryAfterS, contentType }) => {
  const [documented, word] = OTLP_WORDS.get(code) ?? [status, 'UNKNOWN'];
  const headers = {
    ...(documented === 401 ? { 'www-authenticate': 'Basic realm="relay"' } : {}),
    ...(documented === 503 && retryAfterS === undefined ? { 'retry-after': String(RETRY_AFTER_S) } : {}),
  };
  return { ...statusIn(contentType, word, message), status: documented, headers };
};

/** The refusal of everything but POST. */
export const writeNotAllowed: RefusalWriter = ({ message, contentType }) => ({
  ...statusIn(contentType, 'UNIMPLEMENTED', message),
  status: 405,
  headers: { allow: 'POST' },
});

function statusIn(contentType: string, word: string, message: string): Pick<WrittenRefusal, 'body' | 'type'> {
  const format = formatOf(contentType) ?? jsonFormat;
  return { body: format.writeStatus({ code: NUMBERS[word] ?? 2, message }), type: format.type };
}
