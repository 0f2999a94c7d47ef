import type { ContentEncoding } from '../../batch/batch.ts';
import type { AgentId } from '../../workspace/workspace-id.ts';
import type { Refusal } from '../replies.ts';

/** One POST of data: what its headers say, and its body as it came. */
export interface Upload {
  /** The sender's name for the batch, or one made here. */
  readonly batchId: string;
  /** Whose data it is. */
  readonly agentId: AgentId;
  /** Whose certificate it came with: the agent's own, or that of the relay that carries it. */
  readonly senderId: AgentId;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly content: UploadContent;
  readonly encoding: ContentEncoding;
  readonly body: Buffer;
}

/** What the request says that the body holds. `envelope`: an object with DataType and DataItems · `custom`: an array, named by the Log-Type header. */
export type UploadContent =
  | { readonly shape: 'envelope' }
  | { readonly shape: 'diagnostics' }
  | { readonly shape: 'custom'; readonly logType: string; readonly timeField: string | undefined };

/** What became of an upload. */
export type Taken = { readonly outcome: 'taken' } | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** What one data type of a workspace amounts to. */
export interface DataCount {
  readonly workspaceId: string;
  readonly dataType: string;
  /** POSTs answered with 200. */
  readonly batches: number;
  /** Of these, the ones that came straight from the agent, without a relay in between. */
  readonly direct: number;
  /** Batches with different ids. */
  readonly distinctBatches: number;
  /** Batches whose id had been seen before. */
  readonly repeated: number;
  readonly records: number;
  /** Bodies as received on the wire. */
  readonly bytes: number;
}

/** Where a workspace's uploads go. */
export interface Intake {
  /** Resolves when the upload is kept for good, or refused for its content. */
  take(upload: Upload): Promise<Taken>;
  count(): readonly DataCount[];
  /** The distinct batch ids, in the order in which each came first. */
  batchIds(): readonly string[];
}
