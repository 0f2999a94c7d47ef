import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { BatchId } from './batch-id.ts';
import type { Kind } from './kind.ts';

/** How the body's bytes are coded: HTTP's Content-Encoding. `deflate` is a zlib stream (RFC 1950). */
export type ContentEncoding = 'identity' | 'deflate' | 'gzip';

/** What a sender sent in one request: some records of one data type for one workspace. The body stays the bytes that came. */
export interface Batch {
  readonly id: BatchId;
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly kind: Kind;
  /** The sender's own name, such as `LINUX_SYSLOGS_BLOB`, or the Log-Type of custom records. */
  readonly dataType: string;
  /** The sender's own name (IPName), such as `LogManagement`; empty when it gave none. */
  readonly solution: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly origin: Origin;
  readonly body: Buffer;
}

/** How the batch came: what upstream needs to send it on as it was. */
export interface Origin {
  readonly protocol: 'operational-data';
  /** The service on the protocol's side: `OperationalData.svc`, or `DiagnosticsDataService.svc`. */
  readonly service: 'operational-data' | 'diagnostics';
  readonly encoding: ContentEncoding;
  /** Headers that belong to the data and go on with it, names in lower case (`log-type`, `time-generated-field`, `x-ms-azureresourceid` …). */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the cache may tell of a batch without opening it. */
export type BatchSummary = Pick<Batch, 'id' | 'agentId' | 'dataType' | 'receivedAt'> & { readonly bytes: number };
