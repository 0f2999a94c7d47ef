/**
 * Stands outside the relay and knows what it owes: every batch that was acknowledged. Compares that with what a workspace has, by the
 * hash of the bytes as they came over the wire.
 */
import assert from 'node:assert/strict';
import { openDatabaseToRead } from '../../src/local-workspace/intake/database.ts';
import type { AgentId, WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from './eventually.ts';

/** A batch that a relay answered with 200. */
export interface Acknowledged {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  /** As the relay called it. */
  readonly batchId: string;
  readonly sha256: string;
}

/** A batch as a workspace has it. */
export interface Arrived {
  readonly batchId: string;
  readonly agentId: string;
  readonly sha256: string;
  /** Whether a batch of this id had come before. */
  readonly repeated: boolean;
  /** Milliseconds since 1970. */
  readonly receivedAt?: number;
}

export interface Oracle {
  /** A body is about to be sent, acknowledged or not. */
  offered(workspaceId: WorkspaceId, sha256: string): void;
  acknowledged(batch: Acknowledged): void;
  /** How many batches were acknowledged, for one workspace or all. */
  count(workspaceId?: WorkspaceId): number;
  compare(workspaceId: WorkspaceId, arrived: readonly Arrived[]): Comparison;
  /** What had surely been acknowledged at this moment, in milliseconds since 1970. */
  acknowledgedBy(workspaceId: WorkspaceId, at: number): readonly Acknowledged[];
}

export interface Comparison {
  /** Acknowledged, and not there with the same id and the same bytes. */
  readonly missing: number;
  /** There, and never sent for this workspace. */
  readonly invented: number;
  /** Sent on more than once by the relay. */
  readonly repeated: number;
  readonly arrived: number;
}

export function createOracle(): Oracle {
  const sent = new Map<WorkspaceId, Set<string>>();
  const owed = new Map<WorkspaceId, (Acknowledged & { readonly at: number })[]>();

  return {
    offered(workspaceId, sha256) {
      sent.set(workspaceId, (sent.get(workspaceId) ?? new Set()).add(sha256));
    },
    acknowledged(batch) {
      // The clock's milliseconds are cut off: the answer was there at the next one.
      const entry = { ...batch, at: Date.now() + 1 };
      const list = owed.get(batch.workspaceId);
      if (list) list.push(entry);
      else owed.set(batch.workspaceId, [entry]);
    },
    count: (workspaceId) => (workspaceId === undefined ? [...owed.values()].reduce((sum, list) => sum + list.length, 0) : (owed.get(workspaceId)?.length ?? 0)),
    acknowledgedBy: (workspaceId, at) => (owed.get(workspaceId) ?? []).filter((batch) => batch.at <= at),
    compare(workspaceId, arrived) {
      const there = new Set(arrived.map(keyOf));
      return {
        missing: (owed.get(workspaceId) ?? []).filter((batch) => !there.has(keyOf(batch))).length,
        invented: arrived.filter(({ sha256 }) => !sent.get(workspaceId)?.has(sha256)).length,
        repeated: arrived.filter(({ repeated }) => repeated).length,
        arrived: arrived.length,
      };
    },
  };
}

function keyOf({ batchId, sha256 }: Pick<Arrived, 'batchId' | 'sha256'>): string {
  return `${batchId} ${sha256}`;
}

/** What a local workspace has taken, read from its file. */
export function readArrived(dataFolder: string, workspaceId: WorkspaceId): readonly Arrived[] {
  const database = openDatabaseToRead(dataFolder, workspaceId);
  try {
    const rows = database.prepare('SELECT batch_id AS batchId, agent_id AS agentId, sha256, repeated, received_at AS receivedAt FROM batches').all();
    return rows.map((row) => {
      const { repeated, receivedAt } = row as { readonly repeated: unknown; readonly receivedAt: unknown };
      return { ...(row as unknown as Arrived), repeated: repeated === 1, receivedAt: Date.parse(String(receivedAt)) };
    });
  } finally {
    database.close();
  }
}

/** Waits until everything acknowledged has arrived; then nothing may be there that was not sent. Returns how it compares. */
export async function everythingArrives(oracle: Oracle, dataFolder: string, workspaceId: WorkspaceId): Promise<Comparison> {
  let last: Comparison | undefined;
  await eventually(`all ${oracle.count(workspaceId)} acknowledged batches arrive`, () => {
    last = oracle.compare(workspaceId, readArrived(dataFolder, workspaceId));
    return last.missing === 0;
  }).catch((error: unknown) => assert.fail(`${String(error)}: ${JSON.stringify(last)}`));
  assert.ok(last);
  assert.equal(last.invented, 0, 'the workspace has batches that nobody sent for it');
  return last;
}
