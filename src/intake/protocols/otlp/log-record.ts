/** A log record as both formats of OTLP mean it. What a sender left out, or set to nothing, has its empty value. */
import { RelayError } from '../../../errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | Attributes;

export interface Attributes {
  readonly [key: string]: Json;
}

export interface LogRecord {
  /** Nanoseconds since 1970; 0 when it is not known. */
  readonly time: bigint;
  readonly observedTime: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  /** Undefined when there is none. */
  readonly body: Json | undefined;
  readonly attributes: Attributes;
  readonly droppedAttributes: number;
  readonly flags: number;
  /** Hexadecimal digits in lower case. */
  readonly traceId: string;
  readonly spanId: string;
  readonly eventName: string;
}

export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
}

/** The largest record, as it came and as a row, in bytes: the 1 MiB of one call of the service, less what the relay puts around a row and into it. */
export const MAX_RECORD_BYTES: number = 1023 * 1024;
/** A value may hold values that hold values, so many deep. The decoder of protobuf gives up just behind this. */
const MAX_DEPTH = 32;

/** A record that cannot be kept, while those beside it can. The message goes on from "a log record". */
export class UnfitRecord extends Error {
  override readonly name = 'UnfitRecord';
}

/** Throws `UnfitRecord` for a value at too great a depth; the outermost value is at 0. */
export function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw tooDeep();
}

export function tooDeep(): UnfitRecord {
  return new UnfitRecord(`has values that are nested more than ${MAX_DEPTH} deep`);
}

export function tooLarge(): UnfitRecord {
  return new UnfitRecord(`is larger than ${MAX_RECORD_BYTES} bytes, with its resource and scope`);
}

/** Attributes as one object. Of equal keys the last counts; any word may be a key. */
export function attributesFrom(pairs: readonly (readonly [key: string, value: Json])[]): Attributes {
  const attributes = Object.create(null) as Record<string, Json>;
  for (const [key, value] of pairs) attributes[key] = value;
  return attributes;
}

/** A 64-bit integer: exact as a number where that can be, in digits otherwise. */
export function integerOf(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** JSON has no word for what is not finite. */
export function doubleOf(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** A request that is not what its Content-Type says. */
export function malformed(why: string, cause?: unknown): RelayError {
  return new RelayError('relay.intake.bad-otlp', `The body is no OTLP request with log records: ${why}.`, { cause });
}
