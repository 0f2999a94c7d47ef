import type { ContentEncoding } from '../../batch/batch.ts';
import type { UploadContent } from '../intake/upload.ts';
import type { ColumnType } from '../tables/column.ts';

/** An upload of the agents' protocol or the Data Collector API, as it was acknowledged. */
export interface StagedUpload {
  readonly kind: 'upload';
  readonly batchId: string;
  readonly agentId: string;
  readonly senderId: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly content: UploadContent;
  readonly encoding: ContentEncoding;
  readonly dataType: string;
  readonly solution: string;
  readonly records: number;
  /** Of the body as it came over the wire, in hexadecimal digits. */
  readonly sha256: string;
}

/** A call of Logs Ingestion, as it was acknowledged, with the stream's declaration of that moment. */
export interface StagedCall {
  readonly kind: 'call';
  readonly immutableId: string;
  readonly stream: string;
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly clientId: string;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly encoding: ContentEncoding;
  readonly sha256: string;
  readonly rawBytes: number;
  readonly rows: number;
}

/** Records that the workspace makes itself, such as who asked what of it. The body is a JSON array. */
export interface StagedOwn {
  readonly kind: 'own';
  readonly table: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly encoding: 'identity';
}

/** Rows of one exported file, as they come back. The body is JSON lines. */
export interface StagedRestored {
  readonly kind: 'restored';
  readonly table: string;
  /** Names and types of the columns that the rows have. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Of the file that was exported, in hexadecimal digits: it is taken once. */
  readonly sha256: string;
  readonly rows: number;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly encoding: 'gzip';
}

/** What was acknowledged: what the request said, and its body as it came. */
export interface StagedEntry {
  readonly head: StagedUpload | StagedCall | StagedOwn | StagedRestored;
  readonly body: Buffer;
}

/** An entry with its place in the log: 1, 2, 3 … for each workspace, with gaps only where entries were damaged. */
export interface PlacedEntry extends StagedEntry {
  readonly seq: number;
}
