import { deflateSync, gzipSync } from 'node:zlib';
import type { Batch } from '../../../src/batch/batch.ts';
import { createBatchId } from '../../../src/batch/batch-id.ts';
import { type AgentId, parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../../src/workspace/workspace-id.ts';

export const WORKSPACE: WorkspaceId = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
export const AGENT: AgentId = parseAgentId('9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d');
export const RECEIVED_AT: number = Date.parse('2026-11-22T10:00:00Z');

let count = 0;

/** A batch of the OMS protocol, as an agent would send it. */
export function envelope(dataType: string, records: readonly object[]): Batch {
  return batchOf(dataType, 'deflate', {}, deflateSync(JSON.stringify({ DataType: dataType, IPName: 'LogManagement', DataItems: records })));
}

/** Custom records. */
export function custom(logType: string, body: string | Buffer, encoding: 'gzip' | 'identity' = 'gzip', headers: Record<string, string> = {}): Batch {
  const bytes = Buffer.from(body);
  return batchOf(logType, encoding, { 'log-type': logType, ...headers }, encoding === 'gzip' ? gzipSync(bytes) : bytes);
}

function batchOf(dataType: string, encoding: Batch['origin']['encoding'], headers: Record<string, string>, body: Buffer): Batch {
  count += 1;
  return {
    id: createBatchId(RECEIVED_AT + count, (bytes) => bytes.fill(count)),
    workspaceId: WORKSPACE,
    agentId: AGENT,
    kind: 'Event',
    dataType,
    solution: '',
    receivedAt: RECEIVED_AT,
    origin: { protocol: 'operational-data', service: 'operational-data', encoding, headers },
    body,
  };
}
