import type { Column } from '../../../tables/column.ts';
import type { Vector } from '../../../tables/vector.ts';
import { createNames } from '../scalar/name.ts';
import type { JoinKind } from '../syntax/tree.ts';

import { isNull } from '../values/cell.ts';
import { type Batch, cellAt, createBatch, pickRows } from '../vectors/batch.ts';
import { createGroupIndex, type GroupIndex } from '../vectors/group-index.ts';
import { UNKNOWN_KEY } from '../vectors/key-codes.ts';
import { firstOfEach } from './distinct.ts';
import { buildRight, type RightSide } from './join-build.ts';
import { matchRows, NO_MATCH } from './join-match.ts';
import type { Demand, Run, Stage } from './stage.ts';

/** Places of the columns that must be equal, on either side. */
export interface JoinKey {
  readonly left: number;
  readonly right: number;
}

/** Rows of both sides with equal keys (Kusto, "join operator"). The right side is held in memory. A null key equals nothing. */
export function createJoin(left: Stage, right: Stage, keys: readonly JoinKey[], kind: JoinKind): Stage {
  const leftOnly = kind === 'leftanti' || kind === 'leftsemi';
  return {
    columns: leftOnly ? left.columns : joinedColumns(left, right),
    async *open(run, demand) {
      const built = await buildRight(right, keys, demandOfRight(left, demand, leftOnly), run);
      const seen = kind === 'innerunique' ? createGroupIndex(keyTypes(left, keys), run.budget) : undefined;
      for await (const batch of left.open(run, demandOfLeft(left, keys, demand, kind))) {
        yield* joinBatch(batch, left, built, keys, kind, seen, run);
      }
    },
  };
}

function joinedColumns(left: Stage, right: Stage): Column[] {
  const names = createNames();
  return [...left.columns, ...right.columns].map(({ name, type }) => ({ name: names.unique(name), type }));
}

function keyTypes(left: Stage, keys: readonly JoinKey[]): Column['type'][] {
  return keys.map((key) => left.columns[key.left]?.type ?? 'string');
}

// innerunique chooses one of equal left rows before anything else is thrown away, so that nothing may be thrown away ahead of it.
function demandOfLeft(left: Stage, keys: readonly JoinKey[], { columns, ranges }: Demand, kind: JoinKind): Demand {
  const own = [...columns].filter((place) => place < left.columns.length);
  const passed = kind === 'innerunique' ? [] : [...ranges].filter(([place]) => place < left.columns.length);
  return { columns: new Set([...own, ...keys.map((key) => key.left)]), ranges: new Map(passed) };
}

function demandOfRight(left: Stage, { columns }: Demand, leftOnly: boolean): ReadonlySet<number> {
  if (leftOnly) return new Set();
  return new Set([...columns].map((place) => place - left.columns.length).filter((place) => place >= 0));
}

async function* joinBatch(
  batch: Batch,
  left: Stage,
  right: RightSide,
  keys: readonly JoinKey[],
  kind: JoinKind,
  seen: GroupIndex | undefined,
  run: Run,
): AsyncGenerator<Batch> {
  const rows = seen ? firstRowsOf(batch, keys, seen) : batch;
  const vectors = keys.map((key) => rows.column(key.left));
  const groups = withoutNulls(right.index.find(vectors, rows.rows), vectors);
  if (kind === 'leftanti' || kind === 'leftsemi') {
    const wanted = kind === 'leftsemi';
    const kept = Uint32Array.from(groups.keys()).filter((row) => (groups[row] !== UNKNOWN_KEY) === wanted);
    if (kept.length > 0) yield pickRows(rows, kept);
    return;
  }
  for (const { lefts, rights } of matchRows(groups, right, kind === 'leftouter')) {
    yield pairsOf(rows, lefts, left.columns.length, right, rights);
    await run.pause();
  }
}

// innerunique: of left rows with equal keys, one.
function firstRowsOf(batch: Batch, keys: readonly JoinKey[], seen: GroupIndex): Batch {
  const before = seen.groups;
  const groups = seen.enter(
    keys.map((key) => batch.column(key.left)),
    batch.rows,
  );
  return pickRows(batch, firstOfEach(groups, before, seen.groups));
}

function withoutNulls(groups: Uint32Array, keys: readonly Vector[]): Uint32Array {
  for (const key of keys) {
    if (key.type === 'string') continue;
    for (let row = 0; row < groups.length; row += 1) if (isNull(cellAt(key, row))) groups[row] = UNKNOWN_KEY;
  }
  return groups;
}

function pairsOf(rows: Batch, lefts: Uint32Array, width: number, right: RightSide, rights: Uint32Array): Batch {
  const picked = pickRows(rows, lefts);
  return createBatch(lefts.length, (index) => (index < width ? picked.column(index) : pickOrNull(right.column(index - width), rights)));
}

function pickOrNull(vector: Vector, rows: Uint32Array): Vector {
  if (vector.kind === 'number')
    return { ...vector, values: Float64Array.from(rows, (row) => (row === NO_MATCH ? Number.NaN : (vector.values[row] as number))) };
  return { ...vector, codes: Uint32Array.from(rows, (row) => (row === NO_MATCH ? NO_MATCH : (vector.codes[row] as number))) };
}
