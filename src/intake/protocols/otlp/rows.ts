/** The rows of a request, one record after the other. */
import { MAX_RECORD_BYTES, tooLarge, UnfitRecord } from './log-record.ts';
import { type Columns, joined, recordColumns, resourceColumns, scopeColumns } from './row.ts';
import type { ResourcePlaces, ScopePlaces, WireFormat } from './wire-format.ts';

export interface FoundRow {
  /** The row, or why there is none. */
  readonly row: Columns | UnfitRecord;
  /** The record's bytes, as it came. */
  readonly bytes: number;
}

const NO_SCOPE = { name: '', version: '', attributes: {} };

/** Reads record by record. Throws `relay.intake.bad-otlp` where it meets what is malformed. */
export function* rowsOf(resources: readonly ResourcePlaces[], format: WireFormat): Generator<FoundRow, void, void> {
  for (const resource of resources) {
    const ofResource = unfitOr(() => resourceColumnsOf(resource, format));
    for (const scope of resource.scopes) {
      const shared = unfitOr(() => joined(scopeColumnsOf(scope, format), orThrow(ofResource)));
      for (const [at, start] of scope.starts.entries()) {
        const record = scope.bytes.subarray(start, scope.ends[at]);
        yield { row: unfitOr(() => joined(recordColumnsOf(record, format), orThrow(shared))), bytes: record.length };
      }
    }
  }
}

function resourceColumnsOf({ resource, schemaUrl }: ResourcePlaces, { readResource }: WireFormat): Columns {
  return resourceColumns(resource ? readResource(mustBeSmall(resource)) : {}, schemaUrl);
}

function scopeColumnsOf({ scope, schemaUrl }: ScopePlaces, { readScope }: WireFormat): Columns {
  return scopeColumns(scope ? readScope(mustBeSmall(scope)) : NO_SCOPE, schemaUrl);
}

function recordColumnsOf(record: Buffer, { readRecord }: WireFormat): Columns {
  return recordColumns(readRecord(mustBeSmall(record)));
}

// Objects of a message take many times its bytes: what is too large as it came is not opened.
function mustBeSmall(bytes: Buffer): Buffer {
  if (bytes.length > MAX_RECORD_BYTES) throw tooLarge();
  return bytes;
}

function unfitOr(read: () => Columns): Columns | UnfitRecord {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnfitRecord) return error;
    throw error;
  }
}

function orThrow(columns: Columns | UnfitRecord): Columns {
  if (columns instanceof UnfitRecord) throw columns;
  return columns;
}
