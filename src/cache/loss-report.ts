import { deflateSync } from 'node:zlib';
import type { Batch } from '../batch/batch.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { PutOutcome } from './cache.ts';
import type { LossEntry, LossLedger, LossReason, LossReport } from './loss.ts';

const REPORT_EVERY_MS = 5_000;
const DATA_TYPE = 'OPERATION_BLOB';
const SOLUTION = 'LogManagement';
/** The relay itself, as the agent of its own records; the ledger's batches are told from others by it. */
const RELAY_AGENT = '72656c61-7900-4000-8000-6c6f73736573' as AgentId;

const WHY: Readonly<Record<LossReason, string>> = {
  'cache-full': 'the cache was full and data of a higher kind needed the room',
  'too-old': 'it had waited for longer than cache.maxAge',
  purged: 'an operator purged it',
  unreadable: 'it could not be read back from the disk',
  'dead-letters-full': 'the dead letters had reached their limit',
  discarded: 'an operator discarded it',
  'no-room-for-copy': 'it was a copy of data of another workspace, and the cache had no room left for it',
};

export interface LossReporterParts {
  readonly losses: LossLedger;
  readonly workspaces: readonly WorkspaceId[];
  readonly put: (batch: Batch) => Promise<PutOutcome>;
  readonly isReachable: (workspaceId: WorkspaceId) => boolean;
  /** Name of this machine, for the records. */
  readonly hostName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Tells each workspace that can be reached what was lost of its data, once. The function returned ends it, and resolves when nothing is under way. */
export function startLossReporter({ losses, workspaces, put, isReachable, hostName, clock, log }: LossReporterParts): () => Promise<void> {
  let running = Promise.resolve();

  const reportTo = async (workspaceId: WorkspaceId): Promise<void> => {
    for (let report = await losses.nextReport(workspaceId); report; report = await losses.nextReport(workspaceId)) {
      const outcome = await put(reportBatch(report, hostName, clock.now()));
      if (outcome.outcome !== 'stored') return;
      await losses.markReported(report);
      log.info({ workspaceId, batchId: report.batchId, entries: report.entries.length }, 'what was lost is being reported to the workspace');
    }
  };

  const reportAll = async (): Promise<void> => {
    for (const workspaceId of workspaces.filter(isReachable)) {
      await reportTo(workspaceId).catch((error: unknown) =>
        log.warn({ workspaceId, reason: messageOf(error) }, 'what was lost could not be reported; it is tried again'),
      );
    }
  };
  const stop = every(clock, REPORT_EVERY_MS, () => {
    running = reportAll();
    return running;
  });
  return async () => {
    stop();
    await running;
  };
}

/** A report as a batch like any other: Operation records, one an entry. */
export function reportBatch({ batchId, workspaceId, entries }: LossReport, hostName: string, now: number): Batch {
  const body = { DataType: DATA_TYPE, IPName: SOLUTION, DataItems: entries.map((entry) => operationRecord(entry, hostName)) };
  return {
    id: batchId,
    workspaceId,
    agentId: RELAY_AGENT,
    kind: 'Alert',
    dataType: DATA_TYPE,
    solution: SOLUTION,
    receivedAt: now,
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'deflate', headers: {} },
    body: deflateSync(JSON.stringify(body)),
  };
}

function operationRecord(entry: LossEntry, hostName: string): Record<string, string> {
  return {
    Timestamp: new Date(entry.enteredAt).toISOString(),
    OperationStatus: 'Warning',
    Computer: hostName,
    Detail: detailOf(entry),
    Category: 'Relay',
    Solution: SOLUTION,
  };
}

function detailOf({ kind, dataType, agentId, batches, records, uncountedBatches, bytes, firstAt, lastAt, reason }: LossEntry): string {
  const uncounted = uncountedBatches === 0 ? '' : ` and those of ${uncountedBatches} batches that could not be counted`;
  const from = new Date(firstAt).toISOString();
  const to = new Date(lastAt).toISOString();
  const what = `${batches} batches (${records} records${uncounted}, ${bytes} bytes) of ${kind} data, ${dataType}, from agent ${agentId}`;
  return `The relay gave up ${what}, received from ${from} to ${to}: ${WHY[reason]}.`;
}
