/**
 * Where a workspace's data is kept while the service runs: the staging log in front, the engine's tables behind it, both for as long as the
 * workspace's key is there.
 * Invariant: what is kept is on stable storage under the workspace's own key before anybody is told so.
 */
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { messageOf, RelayError } from '../../errors.ts';
import { createTurns } from '../../in-turn.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import type { Answer, EngineEvent, Given, OperationName } from '../engine/operations.ts';
import type { Receipts } from '../intake/receipts.ts';
import { fileSealers } from '../keys/file-sealers.ts';
import type { WorkspaceKeys } from '../keys/workspace-keys.ts';
import type { Refusal } from '../replies.ts';
import type { StagedEntry } from './entry.ts';
import { type LogFile, stagingFolder } from './log-files.ts';
import { createReceiveTimes } from './receive-times.ts';
import { openStagingLog, type StagingLog } from './staging-log.ts';
import { createStagingReader } from './staging-reader.ts';

/** How long rows may be under way before they are in the tables, when nobody asks for them. */
const COMMIT_AFTER_MS = 1_000;
/** How long a stop waits at most for the last rows to be in the tables. */
const STOP_MS = 5_000;

/** What became of an entry. */
export type Kept = { readonly kept: true; readonly seq: number } | { readonly kept: false; readonly refusal: Refusal };

export interface Stage {
  /** Resolves when the entry is on stable storage, or with the reason why it is not kept. */
  keep(entry: StagedEntry): Promise<Kept>;
  /** Every entry that is taken from now on is received at this time or later (milliseconds since 1970), and all that were received before are in the tables. */
  settledBefore(): Promise<number>;
  /** Has what was taken until now in the tables. Throws `relay.local-workspace.tables-closed` without the key. */
  settle(): Promise<void>;
  /** Asks the engine about this workspace. Throws `relay.local-workspace.tables-closed` without the key. */
  ask<Name extends Exclude<OperationName, 'open' | 'close' | 'staged' | 'commit'>>(name: Name, given: Given<Name>, signal?: AbortSignal): Promise<Answer<Name>>;
  /** Removes what is staged and done, even from the file that is written to: nothing of it stays behind. */
  removeDone(): Promise<void>;
  /** The last place on stable storage. */
  lastSeq(): number;
  /** Bytes that wait for the engine. */
  backlogBytes(): number;
  /** Told what the engine says of this workspace. */
  engineSaid(event: EngineEvent): void;
  /** The engine's thread is another one: what was open there is opened again. */
  engineEnded(): void;
  close(): Promise<void>;
}

export interface StageParts {
  readonly workspaceId: WorkspaceId;
  readonly folder: string;
  readonly hotFolder?: string | undefined;
  readonly keys: Pick<WorkspaceKeys, 'current' | 'onChange'>;
  readonly engine: EngineClient;
  readonly receipts: Receipts;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes in the staging log at which nothing more is taken until the engine has caught up. */
  readonly maxBacklogBytes: number;
  readonly onEvent?: ((event: EngineEvent) => void) | undefined;
  readonly copy?: ((file: LogFile, at: number, bytes: readonly Buffer[]) => Promise<void>) | undefined;
}

/** What is open while the key is there. */
interface Opened {
  readonly staging: StagingLog;
  readonly key: KeyObject;
}

/** Opens a workspace's stage. Without its key it is closed, and opens by itself when the key is given back. */
export async function openStage(parts: StageParts): Promise<Stage> {
  const { workspaceId, keys, engine, receipts, clock, log } = parts;
  const inTurn = createTurns();
  let opened: Opened | undefined;
  let cancelCommit: (() => void) | undefined;
  let isClosed = false;

  const openTables = async (key: KeyObject): Promise<number> => {
    const given = { folder: parts.folder, hotFolder: parts.hotFolder, dataKey: key };
    return (await engine.ask('open', workspaceId, given)).committedSeq;
  };

  const bringUp = async (key: KeyObject): Promise<void> => {
    if (opened || isClosed) return;
    const committedSeq = await openTables(key);
    const sealerOf = fileSealers(key, workspaceId);
    const atLeast = Math.max(committedSeq, receipts.lastSeq());
    const staging = await openStagingLog({ folder: stagingFolder(parts.folder), sealerOf, atLeast, copy: parts.copy });
    if (staging.cutBytes > 0)
      log.warn({ workspaceId, bytes: staging.cutBytes }, 'the end of the staging log was no whole entry and was cut off: what a crash leaves, or damage since');
    await recoverReceipts(receipts, stagingFolder(parts.folder), key, workspaceId, staging.lastSeq());
    opened = { staging, key };
    // What a crash left behind after it was done.
    await removeDone(staging, committedSeq);
    await engine.ask('staged', workspaceId, { seq: staging.lastSeq() });
  };

  const takeDown = async (): Promise<void> => {
    const closing = opened;
    opened = undefined;
    cancelCommit?.();
    cancelCommit = undefined;
    await closing?.staging.close();
    if (closing) await engine.ask('close', workspaceId, undefined);
  };

  const follow = async (): Promise<void> => {
    const state = keys.current();
    await (state.available ? bringUp(state.key) : takeDown());
  };

  const receivedAt = createReceiveTimes(clock, receipts.lastReceivedAt());

  const report = (cause: unknown, what: string): void => log.error({ workspaceId, reason: messageOf(cause) }, what);

  const commitSoon = (staging: StagingLog): void => {
    cancelCommit ??= clock.after(COMMIT_AFTER_MS, () => {
      cancelCommit = undefined;
      engine
        .ask('commit', workspaceId, { seq: staging.lastSeq() })
        .catch((cause: unknown) => report(cause, 'rows could not be put in the tables; they are in the staging log'));
    });
  };

  // Why is for the operator: senders and readers are often somebody else's people.
  const closed = (): RelayError => {
    const state = keys.current();
    const words = state.available
      ? `The tables of workspace ${workspaceId} are being opened. Ask again in a moment.`
      : `The tables of workspace ${workspaceId} are closed since ${new Date(state.since).toISOString()}: its key is not there. Its operator sees why with: relay local-workspace key show --workspace ${workspaceId}. Give the key back, and ask again.`;
    return new RelayError('relay.local-workspace.tables-closed', words);
  };

  const removeDone = async (staging: StagingLog, seq: number): Promise<void> => {
    if (!staging.canRemove(seq)) return;
    receipts.sync();
    await staging.removeThrough(seq);
  };

  const settle = async (): Promise<void> => {
    if (!opened) throw closed();
    await engine.ask('commit', workspaceId, { seq: opened.staging.lastSeq() });
  };

  // What is not in the tables by then is in the staging log, and the next start goes on with it.
  const lastCommit = async (seq: number): Promise<void> => {
    let cancel = (): void => {};
    const longEnough = new Promise<void>((resolve) => {
      cancel = clock.after(STOP_MS, resolve);
    });
    const committed = engine.ask('commit', workspaceId, { seq }).catch((cause: unknown) => report(cause, 'the last rows stay in the staging log'));
    await Promise.race([committed, longEnough]);
    cancel();
  };

  const stopFollowing = keys.onChange(() => void inTurn(follow).catch((cause: unknown) => report(cause, 'the workspace could not follow its key')));
  await inTurn(follow);

  return {
    async keep(entry) {
      const own = opened;
      if (!own) return refused(closed().message);
      if (own.staging.bytes() > parts.maxBacklogBytes)
        return refused(`${own.staging.bytes()} bytes wait to be worked off, more than ${parts.maxBacklogBytes}. Send again later.`);
      const time = receivedAt.take();
      try {
        const stamped = { head: { ...entry.head, receivedAt: time.at }, body: entry.body };
        const seq = await own.staging.append(stamped);
        await receipts.add({ seq, head: stamped.head, bytes: entry.body.length });
        void engine.ask('staged', workspaceId, { seq }).catch(() => {});
        commitSoon(own.staging);
        return { kept: true, seq };
      } catch (cause) {
        if (isWithoutCopy(cause)) return refused('Data is not taken while its second copy cannot be written. Send it again later.');
        report(cause, 'data could not be kept and was refused; look at the disk of the data folder');
        return refused('The data could not be kept on stable storage. Send it again; the log of the local workspace says why.');
      } finally {
        time.done();
      }
    },
    settle,
    async settledBefore() {
      const before = receivedAt.earliest();
      await settle();
      return before;
    },
    ask(name, given, signal) {
      return opened ? engine.ask(name, workspaceId, given as never, signal) : Promise.reject(closed());
    },
    async removeDone() {
      if (!opened) throw closed();
      const { committedSeq } = await engine.ask('commit', workspaceId, { seq: opened.staging.lastSeq() });
      receipts.sync();
      await opened?.staging.removeThrough(committedSeq, true);
    },
    lastSeq: () => opened?.staging.lastSeq() ?? receipts.lastSeq(),
    backlogBytes: () => opened?.staging.bytes() ?? 0,
    engineSaid(event) {
      const { staging } = opened ?? {};
      if (event.kind === 'changed' && staging)
        void removeDone(staging, event.committedSeq).catch((cause: unknown) => report(cause, 'staged data that is done could not be removed'));
      parts.onEvent?.(event);
    },
    engineEnded() {
      const again = opened;
      if (!again) return;
      void inTurn(async () => {
        await openTables(again.key);
        await engine.ask('staged', workspaceId, { seq: again.staging.lastSeq() });
      }).catch((cause: unknown) => report(cause, 'the tables could not be opened again'));
    },
    async close() {
      isClosed = true;
      stopFollowing();
      const last = opened;
      if (last) await lastCommit(last.staging.lastSeq());
      await inTurn(takeDown);
    },
  };
}

// It says so itself, once, and tries again.
function isWithoutCopy(cause: unknown): boolean {
  return cause instanceof RelayError && (cause.code === 'relay.local-workspace.replica-away' || cause.code === 'relay.local-workspace.superseded');
}

function refused(message: string): Kept {
  return { kept: false, refusal: { status: 503, code: 'ServiceUnavailable', message } };
}

async function recoverReceipts(receipts: Receipts, folder: string, key: KeyObject, workspaceId: WorkspaceId, throughSeq: number): Promise<void> {
  const reader = createStagingReader(folder, fileSealers(key, workspaceId), receipts.lastSeq());
  try {
    for (let read = reader.next(throughSeq); read.kind !== 'end'; read = reader.next(throughSeq)) {
      if (read.kind === 'entry') await receipts.add({ seq: read.entry.seq, head: read.entry.head, bytes: read.entry.body.length });
    }
  } finally {
    reader.close();
  }
}
