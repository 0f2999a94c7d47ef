import { setImmediate as breathe } from 'node:timers/promises';
import { messageOf, RelayError } from '../../errors.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { runQuery } from '../query/kql/run-query.ts';
import { coolOnce } from '../tables/cool.ts';
import { keptRows } from '../tables/kept-rows.ts';
import { cameBy, purgeStep } from '../tables/purge.ts';
import { schemaOf } from '../tables/segment-scanner.ts';
import { trim } from '../tables/trim.ts';
import type { Answer, Emit, Given, OperationName, Operations, TableFigures } from './operations.ts';
import { openWorkspaceEngine, type WorkspaceEngine } from './workspace-engine.ts';

/** Does what it is asked, for many workspaces in turn. Each knows its own files and key only. */
export interface Engine {
  /** Throws `relay.local-workspace.tables-closed` for a workspace that is not open. */
  ask<Name extends OperationName>(name: Name, workspaceId: WorkspaceId, given: Given<Name>, signal: AbortSignal): Promise<Answer<Name>>;
  close(): void;
}

type Handlers = {
  readonly [Name in Exclude<OperationName, 'open' | 'close'>]: (
    own: WorkspaceEngine,
    given: Given<Name>,
    signal: AbortSignal,
  ) => Answer<Name> | Promise<Answer<Name>>;
};

const HANDLERS: Handlers = {
  staged: (own, { seq }) => own.staged(seq),
  commit: async (own, { seq }) => ({ committedSeq: await own.commit(seq) }),
  processing: (own, { on }) => own.setProcessing(on),
  rows: ({ tables }, filter) => keptRows(tables, filter),
  figures: ({ tables }) =>
    tables.tables().map((table) =>
      figuresOf(
        table,
        tables.segments().filter((segment) => segment.table === table),
      ),
    ),
  segments: ({ tables }) => tables.segments(),
  trim(own, { retention, otherwise, now }) {
    const change = trim(own.tables, (table) => (Object.hasOwn(retention, table) ? (retention[table] as number) : otherwise), now);
    if (change.removed.length > 0) own.changed(change);
    return { removed: change.removed.reduce((sum, { rows }) => sum + rows, 0) };
  },
  async cool(own, { hotDays, now }) {
    let moved = 0;
    for (let change = coolOnce(own.tables, hotDays, now); change; change = coolOnce(own.tables, hotDays, now)) {
      own.changed(change);
      moved += 1;
      await breathe();
    }
    return { moved };
  },
  async dropTable(own, { table, throughSeq }) {
    await committedThrough(own, throughSeq);
    const all = own.tables.segments().filter((segment) => segment.table === table);
    // Rows that came since are those of a new table of that name.
    const gone = all.filter(({ maxSeq }) => maxSeq <= throughSeq);
    own.changed(own.tables.replace(gone, [], gone.length === all.length ? table : undefined));
    const removedRows = gone.reduce((sum, { rows }) => sum + rows, 0);
    return { removedRows: removedRows + (await dropFromMixed(own, table, throughSeq)) };
  },
  async purgeStep(own, order) {
    await committedThrough(own, order.throughSeq);
    return own.purges.step(order);
  },
  async query({ tables, queries, closing }, given, signal) {
    const until = AbortSignal.any([signal, closing]);
    const end = await queries.take(until);
    // Columns may be read after the scan that gave them has ended.
    const hold = tables.scanner.hold();
    try {
      const answer = end ? await runQuery(given.text, { ...given, scanner: tables.scanner, signal: until, breathe }) : ({ kind: 'cancelled' } as const);
      if (closing.aborted) throw tablesClosed(tables.workspaceId);
      return answer;
    } finally {
      tables.scanner.release(hold);
      end?.();
    }
  },
  schemas: ({ tables }) => tables.scanner.tables(),
  hold: ({ tables }) => ({ hold: tables.scanner.hold(), segments: tables.segments() }),
  release: ({ tables }, { hold }) => tables.scanner.release(hold),
  chunk({ tables }, { segment }) {
    const { columns } = schemaOf(segment.table, tables.columns(segment.table));
    const names = columns.map(({ name }) => name);
    return { rows: segment.rows, vectors: tables.files.open(segment, (open) => [...tables.scanner.vectorsOf(open, names)]) };
  },
};

// Segments that have rows of the dropped table and of the new one.
async function dropFromMixed(own: WorkspaceEngine, table: string, throughSeq: number): Promise<number> {
  const done = new Set<string>();
  let removed = 0;
  for (let step = purgeStep(own.tables, table, cameBy(throughSeq), done); step; step = purgeStep(own.tables, table, cameBy(throughSeq), done)) {
    done.add(step.looked);
    removed += step.removedRows;
    if (step.change.removed.length > 0) own.changed(step.change);
    await breathe();
  }
  return removed;
}

// Rows that are not in the tables would come after what removes them.
async function committedThrough(own: WorkspaceEngine, seq: number): Promise<void> {
  const committedSeq = await own.commit(seq);
  if (committedSeq >= seq) return;
  const message = `What was received up to entry ${seq} is in the tables up to ${committedSeq} only: processing is stopped. Start it; what is to be removed goes then.`;
  throw new RelayError('relay.local-workspace.processing-stopped', message);
}

export function createEngine(emit: Emit): Engine {
  const open = new Map<WorkspaceId, WorkspaceEngine>();
  const own = (workspaceId: WorkspaceId): WorkspaceEngine => {
    const found = open.get(workspaceId);
    if (found) return found;
    throw tablesClosed(workspaceId);
  };
  const close = (workspaceId: WorkspaceId): void => {
    open.get(workspaceId)?.close();
    open.delete(workspaceId);
  };
  const opened = (workspaceId: WorkspaceId, given: Given<'open'>): Answer<'open'> => {
    close(workspaceId);
    const engine = openWorkspaceEngine(workspaceId, given, emit, breathe);
    open.set(workspaceId, engine);
    return { committedSeq: engine.tables.committedSeq() };
  };
  return {
    async ask(name, workspaceId, given, signal) {
      if (name === 'open') return opened(workspaceId, given as Given<'open'>) as Answer<typeof name>;
      if (name === 'close') return close(workspaceId) as Answer<typeof name>;
      const handler = HANDLERS[name as keyof Handlers] as (engine: WorkspaceEngine, what: unknown, until: AbortSignal) => unknown;
      try {
        return (await handler(own(workspaceId), given, signal)) as Answer<typeof name>;
      } catch (error) {
        if (error instanceof RelayError && error.code === 'relay.local-workspace.segment-damaged') {
          emit({ kind: 'damaged', workspaceId, what: 'segment', reason: messageOf(error) });
        }
        throw error;
      }
    },
    close() {
      for (const id of [...open.keys()]) close(id);
    },
  };
}

function tablesClosed(workspaceId: WorkspaceId): RelayError {
  return new RelayError('relay.local-workspace.tables-closed', `The tables of workspace ${workspaceId} are closed: its key is not there. Give the key back.`);
}

function figuresOf(table: string, segments: readonly ReturnType<Operations['segments']>[number][]): TableFigures {
  const sum = (of: 'rows' | 'bytes'): number => segments.reduce((total, segment) => total + segment[of], 0);
  const figures = { table, rows: sum('rows'), segments: segments.length, bytes: sum('bytes') };
  if (segments.length === 0) return figures;
  return { ...figures, oldest: Math.min(...segments.map(({ minTime }) => minTime)), newest: Math.max(...segments.map(({ maxTime }) => maxTime)) };
}
