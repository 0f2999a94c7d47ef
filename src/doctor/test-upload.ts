import { randomFillSync } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { Batch } from '../batch/batch.ts';
import { createBatchId } from '../batch/batch-id.ts';
import type { Verdict } from '../batch/verdict.ts';
import { systemClock } from '../clock.ts';
import type { Configuration } from '../configuration/schema.ts';
import { silentLogger } from '../logger.ts';
import { connectWorkspace } from '../upstream/connect.ts';
import { createTransformer } from '../upstream/logs-ingestion/transformer.ts';
import { createRecordOpener } from '../upstream/record-opener.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import { parseAgentId, type WorkspaceId } from '../workspace/workspace-id.ts';
import { type Outcome, within } from './within.ts';

const DATA_TYPE = 'OPERATION_BLOB';
const SOLUTION = 'LogManagement';
const DOCTOR_AGENT = parseAgentId('72656c61-7900-4000-8000-646f63746f72');

/** What became of the test record. */
export interface Uploaded {
  readonly isDelivered: boolean;
  /** Why not. */
  readonly reason: string;
}

export interface UploadParts {
  readonly configuration: Configuration;
  readonly version: string;
  readonly limitMs: number;
}

/**
 * Sends one Operation record by the very transport that a relay would use, beside its cache. Towards a workspace of the Operational Data
 * protocol the doctor has an identity of its own, kept in `<data>/doctor`.
 */
export function uploadTestRecord(workspace: WorkspaceOptions, { configuration, version, limitMs }: UploadParts): Promise<Outcome<Uploaded>> {
  const { data, domain, intake, upstream } = configuration;
  return within(limitMs, async (signal) => {
    await using parts = new AsyncDisposableStack();
    const opener = createRecordOpener(intake.maxInflatedSize);
    parts.defer(() => opener.close());
    const transformer = createTransformer();
    parts.defer(() => transformer.close());
    const connection = await connectWorkspace(workspace, {
      // One at a time: none is waited for that could go with it.
      options: { ...upstream, groupsInFlight: 1, connections: 1, connectTimeout: limitMs, requestTimeout: limitMs },
      folder: join(data, 'doctor'),
      version,
      clock: systemClock,
      log: silentLogger,
      onExchange: () => {},
      opener,
      onPart: () => {},
      statementFor: () => ({ roots: [], agents: [] }),
      roadWatch: { verified: () => {}, refused: () => {} },
      ingestion: { transformer, maxInflatedBytes: intake.maxInflatedSize, relayName: domain, onRequest: () => {}, onRecords: () => {} },
    });
    parts.defer(() => connection.close());
    const [verdict] = await connection.offer([testBatch(workspace.id, systemClock.now())], signal);
    return uploadedBy(verdict);
  });
}

function testBatch(workspaceId: WorkspaceId, now: number): Batch {
  const record = {
    Timestamp: new Date(now).toISOString(),
    OperationStatus: 'Succeeded',
    Computer: hostname(),
    Detail: 'A test record of relay doctor.',
    Category: 'RelayDoctor',
    Solution: SOLUTION,
  };
  return {
    id: createBatchId(now, randomFillSync),
    workspaceId,
    agentId: DOCTOR_AGENT,
    kind: 'Alert',
    dataType: DATA_TYPE,
    solution: SOLUTION,
    receivedAt: now,
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'deflate', headers: {} },
    body: deflateSync(JSON.stringify({ DataType: DATA_TYPE, IPName: SOLUTION, DataItems: [record] })),
  };
}

function uploadedBy(verdict: Verdict | undefined): Uploaded {
  if (verdict?.outcome === 'delivered') return { isDelivered: true, reason: '' };
  if (verdict?.outcome === 'retry') return { isDelivered: false, reason: verdict.reason };
  if (verdict?.outcome === 'refused') return { isDelivered: false, reason: `${verdict.status} ${verdict.answer.slice(0, 300)}` };
  return { isDelivered: false, reason: 'the workspace took a part of it only' };
}
