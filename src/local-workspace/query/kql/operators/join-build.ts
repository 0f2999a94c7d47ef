import type { Vector } from '../../../tables/vector.ts';
import { createGroupIndex, type GroupIndex } from '../vectors/group-index.ts';
import { growableCodes } from '../vectors/growable.ts';
import { createRowStore } from '../vectors/row-store.ts';
import type { JoinKey } from './join.ts';
import { demandOf, type Run, type Stage } from './stage.ts';

/** The right side of a join, held in memory: its rows, and which have which key. */
export interface RightSide {
  readonly index: GroupIndex;
  /** The first row of a group, and the row of the same group after a row: each a row's number + 1, 0 for none. */
  readonly first: Uint32Array;
  readonly after: Uint32Array;
  column(index: number): Vector;
}

/** Reads the whole right side. `columns` are those that somebody reads. */
export async function buildRight(right: Stage, keys: readonly JoinKey[], columns: ReadonlySet<number>, run: Run): Promise<RightSide> {
  const types = keys.map((key) => right.columns[key.right]?.type ?? 'string');
  const index = createGroupIndex(types, run.budget);
  const store = createRowStore(right.columns, columns, run.budget);
  const groupsOf = growableCodes(run.budget);
  for await (const batch of right.open(run, demandOf([...columns, ...keys.map((key) => key.right)]))) {
    const groups = index.enter(
      keys.map((key) => batch.column(key.right)),
      batch.rows,
    );
    groupsOf.reserve(store.rows + batch.rows).set(groups, store.rows);
    store.append(batch);
  }
  run.budget.spend(4 * (store.rows + index.groups));
  return { index, ...chains(groupsOf.reserve(store.rows), store.rows, index.groups), column: (place) => store.column(place) };
}

function chains(groups: Uint32Array, rows: number, count: number): { first: Uint32Array; after: Uint32Array } {
  const first = new Uint32Array(count);
  const after = new Uint32Array(rows);
  for (let row = rows - 1; row >= 0; row -= 1) {
    const group = groups[row] as number;
    after[row] = first[group] as number;
    first[group] = row + 1;
  }
  return { first, after };
}
