/**
 * How a batch's life becomes spans. The trace's id is the batch's own id without hyphens (a UUID has the 16 bytes that W3C Trace Context wants): whoever has a
 * batch id from a log line or a workspace has the trace, every relay on the way writes into the same one, and a restart loses nothing.
 */
import { hash } from 'node:crypto';
import type { Batch } from '../batch/batch.ts';
import type { BatchId } from '../batch/batch-id.ts';

/** batch: from receipt until the workspace took it; the others are steps within. */
export type Step = 'batch' | 'receive' | 'seal' | 'store' | 'index' | 'send';

/** A step that is over. */
export interface FinishedStep {
  readonly step: Step;
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Milliseconds since it ended. */
  readonly agoMs?: number;
  /** What became of it, in a word. */
  readonly outcome?: string;
  /** Why it failed; undefined when it did not. */
  readonly failure?: string | undefined;
}

/** What of a batch stands on its spans: nothing of its content. */
export type TracedBatch = Pick<Batch, 'id' | 'workspaceId' | 'agentId' | 'kind' | 'dataType'> & { readonly body: { readonly length: number } };

/** Whether a batch is one of those that are traced: decided by the last bytes of its id, which are chance. */
export function isTraced(id: BatchId, oneIn: number): boolean {
  return oneIn === 1 || Number.parseInt(id.slice(-12), 16) % oneIn === 0;
}

/** 32 hexadecimal digits. */
export function traceIdOf(id: BatchId): string {
  return id.replaceAll('-', '');
}

/** 16 hexadecimal digits: the batch's own span at one relay, which all its steps there are children of. */
export function rootSpanIdOf(id: BatchId, relay: string): string {
  return hash('sha256', `${id} ${relay}`).slice(0, 16);
}

/** What a span tells, by OpenTelemetry's naming of attributes. */
export function attributesOf({ id, workspaceId, agentId, kind, dataType, body }: TracedBatch, outcome: string | undefined): Record<string, string | number> {
  return {
    'relay.batch.id': id,
    'relay.workspace.id': workspaceId,
    'relay.agent.id': agentId,
    'relay.kind': kind,
    'relay.data_type': dataType,
    'relay.batch.size': body.length,
    ...(outcome === undefined ? {} : { 'relay.outcome': outcome }),
  };
}
