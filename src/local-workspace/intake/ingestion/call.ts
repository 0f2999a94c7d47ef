import type { Refusal } from '../../replies.ts';
import type { DeclaredStream } from './declaration.ts';
import type { Rule } from './directory.ts';

/** One POST that got as far as a rule and a stream. */
export interface Call {
  readonly rule: Rule;
  readonly streamName: string;
  readonly stream: DeclaredStream;
  readonly clientId: string;
  /** The sender's x-ms-client-request-id; empty when it gave none. */
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly isGzip: boolean;
  /** As it came over the wire. */
  readonly body: Buffer;
}

/** Where the rows of one workspace go. */
export interface Tables {
  /** Resolves when all of the call's rows are on stable storage, or with the reason why none of them is kept. */
  take(call: Call): Promise<Refusal | undefined>;
  count(): readonly TableCount[];
}

/** A call that was answered with 204, as it is kept. */
export interface StoredCall {
  readonly seq: number;
  readonly immutableId: string;
  readonly stream: string;
  readonly table: string;
  readonly clientId: string;
  readonly requestId: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  /** Of the body as it came over the wire, in hexadecimal digits. */
  readonly sha256: string;
  readonly wireBytes: number;
  readonly rawBytes: number;
  readonly rows: number;
}

/** What one table of a workspace amounts to. */
export interface TableCount {
  readonly workspaceId: string;
  readonly table: string;
  readonly calls: number;
  readonly rows: number;
  /** Bodies as they came over the wire, and inflated. */
  readonly wireBytes: number;
  readonly rawBytes: number;
}

/** A row of a table: its columns, TimeGenerated among them, and _TimeReceived. */
export type TableRow = Readonly<Record<string, unknown>> & { readonly TimeGenerated: string; readonly _TimeReceived: string };
