import type { Batch } from '../../src/batch/batch.ts';
import { createBatchId } from '../../src/batch/batch-id.ts';
import { generateKeyRing, type KeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { type AgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { seeded } from '../support/seeded.ts';

export const WORKSPACE: WorkspaceId = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
export const OTHER: WorkspaceId = parseWorkspaceId('00000000-0000-0000-0000-000000000001');
export const START_MS: number = Date.UTC(2026, 10, 23);

/** Keys as a new relay makes them. */
export function newKeys(): KeyRing {
  return openKeyRing(JSON.stringify(generateKeyRing()));
}

/** Fills bytes for ids, the same in every run. */
export function seededBytes(seed: number): (bytes: Uint8Array) => void {
  const next = seeded(seed);
  return (bytes) => {
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(next() * 256);
  };
}

const idBytes = seededBytes(1);

/** A batch of one text; each has an id of its own. */
export function batchOf(text: string, more: Partial<Batch> = {}): Batch {
  const receivedAt = more.receivedAt ?? START_MS;
  return {
    id: createBatchId(receivedAt, idBytes),
    workspaceId: WORKSPACE,
    agentId: '11111111-2222-4333-8444-555555555555' as AgentId,
    kind: 'Event',
    dataType: 'LINUX_SYSLOGS_BLOB',
    solution: 'LogManagement',
    receivedAt,
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: {} },
    body: Buffer.from(text),
    ...more,
  };
}

/** The texts of batches. */
export function textsOf(batches: readonly Batch[]): string[] {
  return batches.map((batch) => batch.body.toString());
}
