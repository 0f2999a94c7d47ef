/**
 * One workspace in the engine's thread: works the staging log off into the tables, a little at a time, so that questions are answered between.
 * Invariant: an entry is in the tables once its place is committed, and then for good; whatever ends the thread, it goes on from there.
 */
import { messageOf } from '../../errors.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { fileSealers } from '../keys/file-sealers.ts';
import { stagingFolder } from '../staging/log-files.ts';
import { createStagingReader, type StagingRead, type StagingReader } from '../staging/staging-reader.ts';
import type { StoredSegment } from '../tables/catalogue.ts';
import { findGroup, mergeSegments } from '../tables/compact.ts';
import { openWorkspaceTables, type TablesChange, type WorkspaceTables } from '../tables/workspace-tables.ts';
import type { Emit, OpenTables } from './operations.ts';
import { createPurgeSteps, type PurgeSteps } from './purge-steps.ts';
import { createQueryTurns, type QueryTurns } from './query-turns.ts';

export interface WorkspaceEngine {
  readonly tables: WorkspaceTables;
  /** Tells up to which place the log may be read. */
  staged(seq: number): void;
  setProcessing(on: boolean): void;
  /** Resolves when what was staged up to this place is in the tables for good; at once when processing is stopped. */
  commit(seq: number): Promise<number>;
  readonly purges: PurgeSteps;
  readonly queries: QueryTurns;
  /** Aborted when it is closed: what is still asked then gets no answer from it. */
  readonly closing: AbortSignal;
  /** Says what changed in the tables. */
  changed(change: TablesChange): void;
  close(): void;
}

/** Opens a workspace with its data key. `breathe` lets the thread do other work. Throws when its files are not as they were written. */
export function openWorkspaceEngine(
  workspaceId: WorkspaceId,
  { folder, hotFolder, dataKey }: OpenTables,
  emit: Emit,
  breathe: () => Promise<void>,
): WorkspaceEngine {
  const sealerOf = fileSealers(dataKey, workspaceId);
  const tables = openWorkspaceTables({ workspaceId, folder, hotFolder, sealerOf });
  const newReader = (): StagingReader => createStagingReader(stagingFolder(folder), sealerOf, tables.committedSeq());
  let reader = newReader();
  let announced = tables.committedSeq();
  let passedOver = announced;
  let working: Promise<void> | undefined;
  let isOn = true;
  let isClosed = false;
  const closing = new AbortController();
  const unreadable = new Set<number>();
  const unmergeable = new Set<string>();

  const changed = ({ added, removed }: TablesChange): void => {
    const path = (one: TablesChange['added'][number]): string => tables.files.pathOf(one);
    emit({ kind: 'changed', workspaceId, committedSeq: committed(), added: added.map(path), removed: removed.map(path) });
  };

  // Damaged entries at the end are passed over for good once everything before them is in the tables.
  const committed = (): number => (tables.addedSeq() === tables.committedSeq() ? Math.max(passedOver, tables.committedSeq()) : tables.committedSeq());

  const commitNow = (): void => {
    const change = tables.commit();
    changed(change);
    compact();
  };

  // What cannot be put together stays as it is: it must not keep new rows out.
  const compact = (): void => {
    for (let group = nextGroup(); group; group = nextGroup()) {
      try {
        changed(mergeSegments(tables, group));
      } catch (cause) {
        for (const { id } of group) unmergeable.add(id);
        emit({ kind: 'damaged', workspaceId, what: `segments of ${group[0]?.table}`, reason: `they cannot be put together: ${messageOf(cause)}` });
      }
    }
  };

  const nextGroup = (): readonly StoredSegment[] | undefined => findGroup(tables.segments().filter(({ id }) => !unmergeable.has(id)));

  const take = (read: Exclude<StagingRead, { kind: 'end' }>): void => {
    if (read.kind === 'damaged') {
      emit({ kind: 'damaged', workspaceId, what: read.file, reason: read.reason });
      return;
    }
    if (unreadable.has(read.entry.seq)) return;
    try {
      tables.add(read.entry);
    } catch (cause) {
      // Half of its rows may be under way: all of them are read again, without it.
      unreadable.add(read.entry.seq);
      emit({ kind: 'damaged', workspaceId, what: `staged entry ${read.entry.seq}`, reason: messageOf(cause) });
      tables.abandon();
      reader.close();
      reader = newReader();
    }
  };

  const work = async (): Promise<void> => {
    while (isOn && !isClosed) {
      const read = reader.next(announced);
      if (read.kind === 'end') break;
      take(read);
      if (tables.isFull()) commitNow();
      await breathe();
    }
    if (isOn) passedOver = Math.max(passedOver, announced);
  };

  const start = (): Promise<void> => {
    working ??= work()
      .catch((cause: unknown) => {
        // A full disk, most of the time: the rows are in the staging log still.
        emit({ kind: 'stuck', workspaceId, reason: messageOf(cause) });
        tables.abandon();
        reader.close();
        if (!isClosed) reader = newReader();
        throw cause;
      })
      .finally(() => {
        working = undefined;
      });
    return working;
  };

  return {
    tables,
    purges: createPurgeSteps(tables, changed),
    queries: createQueryTurns(),
    closing: closing.signal,
    staged(seq) {
      announced = Math.max(announced, seq);
      // Who waits for it is told; who does not has been told by the event.
      start().catch(() => {});
    },
    setProcessing(on) {
      isOn = on;
      if (on) start().catch(() => {});
    },
    async commit(seq) {
      announced = Math.max(announced, seq);
      while (isOn && !isClosed && passedOver < seq) await start();
      if (!isClosed && tables.addedSeq() > tables.committedSeq()) commitNow();
      return committed();
    },
    changed,
    close() {
      isClosed = true;
      closing.abort();
      reader.close();
      tables.close();
    },
  };
}
