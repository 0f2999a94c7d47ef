import type { Attributes, LogRecord, Scope } from './log-record.ts';

/** Log records of one scope of one resource, as they stand in a body: record n is `bytes` from `starts[n]` up to `ends[n]`. */
export interface ScopePlaces {
  readonly scope: Buffer | undefined;
  readonly schemaUrl: string;
  readonly bytes: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export interface ResourcePlaces {
  readonly resource: Buffer | undefined;
  readonly schemaUrl: string;
  readonly scopes: readonly ScopePlaces[];
}

export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/** google.rpc.Status. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

/**
 * One of the two formats of OTLP/HTTP. First it is found where everything stands, then records are read one at a time: what a small body can
 * unfold to is never in memory as a whole. All that reads throws `relay.intake.bad-otlp` for what is malformed.
 */
export interface WireFormat {
  /** The Content-Type. */
  readonly type: string;
  /** Throws `relay.intake.too-large` too. */
  find(body: Buffer): readonly ResourcePlaces[];
  /** Throws `UnfitRecord` too, as those that follow. */
  readResource(bytes: Buffer): Attributes;
  readScope(bytes: Buffer): Scope;
  readRecord(bytes: Buffer): LogRecord;
  /** ExportLogsServiceResponse. */
  writeResponse(partial: PartialSuccess | undefined): Buffer;
  writeStatus(status: Status): Buffer;
}
