import type { AgentId } from '../workspace/workspace-id.ts';

/** With custom records: the stream that their sender named, where it speaks the Logs Ingestion API. */
export const STREAM_HEADER = 'x-relay-stream';

/** Headers of an upload that belong to its data: a relay carries them on as they came. Lower case. */
export const DATA_HEADERS = [
  'log-type',
  'time-generated-field',
  'x-ms-date',
  'x-ms-azureresourceid',
  'x-ms-azureregion',
  'x-ms-omscloudid',
  'x-ms-uuid',
  'x-relay-stream',
] as const;

/** Tells a receiver which batch this is, so that a repeat can be recognised, and whose data a relay carries. */
export const BATCH_ID_HEADER = 'x-relay-batch-id';
/** With a part of a batch: the id of the whole, and which of its records these are, counted from 1: `<batch id> <first>-<last>`. */
export const BATCH_PART_HEADER = 'x-relay-batch-part';
export const AGENT_ID_HEADER = 'x-relay-agent-id';
/** A sender that keeps its own queue says so: it may be asked to wait (503 with Retry-After) where others would lose data. */
export const OWN_QUEUE_HEADER = 'x-relay-own-queue';

export interface UploadFacts {
  readonly userAgent: string;
  readonly version: string;
  /** A fresh UUID for each attempt. */
  readonly requestId: string;
  /** How many attempts came before this one. */
  readonly retryCount: number;
  readonly encoding: 'identity' | 'deflate' | 'gzip';
  readonly batchId?: string;
  readonly agentId?: AgentId;
}

/** The headers of an upload (§3.1). */
export function uploadHeaders(facts: UploadFacts): Record<string, string> {
  return {
    'content-type': 'application/json',
    ...(facts.encoding === 'identity' ? {} : { 'content-encoding': facts.encoding }),
    'user-agent': facts.userAgent,
    'x-ms-app': 'Relay',
    'x-ms-client-version': facts.version,
    'x-ms-client-platform': 'Linux',
    'x-ms-client-request-retry-count': String(facts.retryCount),
    'x-request-id': facts.requestId,
    ...(facts.batchId ? { [BATCH_ID_HEADER]: facts.batchId } : {}),
    ...(facts.agentId ? { [AGENT_ID_HEADER]: facts.agentId } : {}),
  };
}
