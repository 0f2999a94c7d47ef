import { join } from 'node:path';
import { createEngine, type Engine } from '../../../src/local-workspace/engine/engine.ts';
import type { Answer, EngineEvent, Given, OperationName } from '../../../src/local-workspace/engine/operations.ts';
import type { StagedEntry } from '../../../src/local-workspace/staging/entry.ts';
import type { StagingLog } from '../../../src/local-workspace/staging/staging-log.ts';
import type { KeptRow } from '../../../src/local-workspace/tables/kept-rows.ts';
import { openLog } from '../staging/staging-rig.ts';
import { BANK, KEY } from '../tables/store-rig.ts';

export interface Store extends AsyncDisposable {
  readonly staging: StagingLog;
  readonly engine: Engine;
  readonly events: readonly EngineEvent[];
  ask<Name extends OperationName>(name: Name, given: Given<Name>): Promise<Answer<Name>>;
  /** Stages these, one after another; the place of the last. */
  stage(...entries: readonly StagedEntry[]): Promise<number>;
  /** Has all that is staged in the tables. */
  settle(): Promise<number>;
  /** All rows of a table, as they came. */
  rows(table: string): Promise<readonly KeptRow[]>;
}

/** A workspace's staging log and engine, in one thread, as a stage has them in two. */
export async function openStore(folder: string, fileBytes?: number): Promise<Store> {
  const events: EngineEvent[] = [];
  const engine = createEngine((event) => events.push(event));
  const never = new AbortController().signal;
  const ask: Store['ask'] = (name, given) => engine.ask(name, BANK, given, never);
  const { committedSeq } = await ask('open', { folder, dataKey: KEY });
  const staging = await openLog(join(folder, 'staging'), { atLeast: committedSeq, ...(fileBytes === undefined ? {} : { fileBytes }) });
  await ask('staged', { seq: staging.lastSeq() });
  return {
    ...{ staging, engine, events, ask },
    async stage(...entries) {
      for (const entry of entries) await staging.append(entry);
      return staging.lastSeq();
    },
    settle: async () => (await ask('commit', { seq: staging.lastSeq() })).committedSeq,
    rows: (table) => ask('rows', { table, limit: 1_000_000, end: 'oldest' }),
    async [Symbol.asyncDispose]() {
      engine.close();
      await staging.close();
    },
  };
}

/** One field of each row, in their order. */
export function fieldsOf(rows: readonly KeptRow[], name: string): unknown[] {
  return rows.map(({ data }) => data[name]);
}
