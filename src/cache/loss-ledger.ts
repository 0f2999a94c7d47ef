/**
 * The loss ledger on disk: `<folder>/journal.jsonl`.
 *
 * A drop happens in this order: the entry here, synced → the members noted as done beside their segment → their bytes freed. A kill before the
 * entry drops nothing; a kill after it leaves members that the ledger names as a source: the next start takes them out of the store before
 * anything is counted or sent. So a drop is counted once, and never without an entry.
 *
 * A report to a workspace is settled here first (its id and its entries, which then take no more), stored in the cache as a batch, then
 * marked. A kill between the last two stores the same batch once more, under the same id.
 */
import { join } from 'node:path';
import { type BatchId, createBatchId, type Random } from '../batch/batch-id.ts';
import type { Clock } from '../clock.ts';
import { makePrivateFolder } from '../files.ts';
import { createTurns } from '../in-turn.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Loss, LossEntry, LossLedger, LossReport, LossSource } from './loss.ts';
import { createLossJournal, readLossJournal } from './loss-journal.ts';

/** A source this old is long noted as done on disk. */
const SOURCE_LIFE_MS = 10 * 60_000;
/** Entries a workspace was told of that are still listed, the youngest ones. */
const REPORTED_KEPT = 1_000;
const ENTRIES_PER_REPORT = 200;

type StoredEntry = LossEntry & { readonly reportId?: BatchId | undefined };
/** A line holds what changed, as it is afterwards: reading it twice does no harm. */
interface Line {
  readonly entries?: readonly StoredEntry[];
  readonly source?: LossSource | undefined;
}

export interface LossLedgerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Told of every loss once it is entered. */
  readonly onLoss: (loss: Loss) => void;
}

/** Opens the ledger and reads what it holds. */
export async function openLossLedger(folder: string, { clock, random, log, onLoss }: LossLedgerParts): Promise<LossLedger> {
  const path = join(folder, 'journal.jsonl');
  const entries = new Map<string, StoredEntry>();
  const open = new Map<string, string>();
  let sources: { readonly source: LossSource; readonly since: number }[] = [];

  const apply = ({ entries: changed = [], source }: Line): void => {
    for (const entry of changed) {
      entries.set(entry.id, entry);
      if (entry.reportId === undefined) open.set(keyOf(entry), entry.id);
      else if (open.get(keyOf(entry)) === entry.id) open.delete(keyOf(entry));
    }
    if (source) sources.push({ source, since: clock.now() });
  };

  const forgetOld = (): void => {
    const reported = [...entries.values()].filter((entry) => entry.reported);
    for (const { id } of reported.slice(0, Math.max(0, reported.length - REPORTED_KEPT))) entries.delete(id);
    sources = sources.filter(({ since }) => clock.now() - since < SOURCE_LIFE_MS);
  };

  const state = (): Line[] => {
    forgetOld();
    return [...[...entries.values()].map((entry): Line => ({ entries: [entry] })), ...sources.map(({ source }): Line => ({ source }))];
  };

  await makePrivateFolder(folder);
  const onDamage = (bytes: number): void => log.warn({ bytes }, 'a line of the loss ledger was not finished, or is damaged; it is left out');
  for (const line of await readLossJournal(path, onDamage)) apply(line as Line);
  const journal = createLossJournal(path, state);

  // One at a time: what a line holds depends on the one before.
  const inTurn = createTurns();

  const write = async (line: Line): Promise<void> => {
    await journal.append([line]);
    apply(line);
  };

  const merged = (losses: readonly Loss[]): StoredEntry[] => {
    const changed = new Map<string, StoredEntry>();
    for (const loss of losses) {
      const key = keyOf(loss);
      const before = changed.get(key) ?? entries.get(open.get(key) ?? '');
      changed.set(key, before ? add(before, loss) : add(emptyEntry(loss, createBatchId(clock.now(), random), clock.now()), loss));
    }
    return [...changed.values()];
  };

  const list = (workspaceId?: WorkspaceId): StoredEntry[] =>
    [...entries.values()].filter((entry) => workspaceId === undefined || entry.workspaceId === workspaceId);
  const unreported = (workspaceId: WorkspaceId): StoredEntry[] => list(workspaceId).filter((entry) => !entry.reported);

  const settleReport = async (workspaceId: WorkspaceId): Promise<LossReport | undefined> => {
    const waiting = unreported(workspaceId);
    const reportId = waiting.find((entry) => entry.reportId !== undefined)?.reportId;
    if (reportId !== undefined) return { batchId: reportId, workspaceId, entries: waiting.filter((entry) => entry.reportId === reportId).map(bare) };
    if (waiting.length === 0) return undefined;
    const batchId = createBatchId(clock.now(), random);
    const settled = waiting.slice(0, ENTRIES_PER_REPORT).map((entry) => ({ ...entry, reportId: batchId }));
    await write({ entries: settled });
    return { batchId, workspaceId, entries: settled.map(bare) };
  };

  return {
    enter: (losses, source) =>
      inTurn(async () => {
        if (losses.length === 0) return;
        await write({ entries: merged(losses), source });
        for (const loss of losses) onLoss(loss);
      }),
    sources: () => sources.map(({ source }) => source),
    list: (workspaceId) => list(workspaceId).map(bare),
    unreported: (workspaceId) => unreported(workspaceId).map(bare),
    nextReport: (workspaceId) => inTurn(() => settleReport(workspaceId)),
    markReported: ({ batchId, workspaceId }) =>
      inTurn(async () => {
        const told = unreported(workspaceId).filter(({ reportId }) => reportId === batchId);
        if (told.length > 0) await write({ entries: told.map((entry) => ({ ...entry, reported: true })) });
      }),
    close: () => inTurn(journal.close),
  };
}

function keyOf({ workspaceId, kind, dataType, agentId, reason }: Pick<Loss, 'workspaceId' | 'kind' | 'dataType' | 'agentId' | 'reason'>): string {
  return `${workspaceId} ${kind} ${agentId} ${reason} ${dataType}`;
}

function emptyEntry(loss: Loss, id: BatchId, enteredAt: number): StoredEntry {
  const { workspaceId, kind, dataType, agentId, reason, firstAt, lastAt } = loss;
  const nothing = { batches: 0, records: 0, uncountedBatches: 0, bytes: 0 };
  return { id, workspaceId, kind, dataType, agentId, reason, ...nothing, firstAt, lastAt, enteredAt, reported: false };
}

function add(entry: StoredEntry, loss: Loss): StoredEntry {
  return {
    ...entry,
    batches: entry.batches + loss.batches,
    records: entry.records + (loss.records ?? 0),
    uncountedBatches: entry.uncountedBatches + (loss.records === undefined ? loss.batches : 0),
    bytes: entry.bytes + loss.bytes,
    firstAt: Math.min(entry.firstAt, loss.firstAt),
    lastAt: Math.max(entry.lastAt, loss.lastAt),
  };
}

function bare({ reportId: _settled, ...entry }: StoredEntry): LossEntry {
  return entry;
}
