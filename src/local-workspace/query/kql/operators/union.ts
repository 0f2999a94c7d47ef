import type { Column } from '../../../tables/column.ts';
import type { TimeRange } from '../../result.ts';
import { createNames } from '../scalar/name.ts';
import { constantScalar } from '../scalar/scalar.ts';
import { nullOf } from '../values/cell.ts';
import { type Batch, constantVector, createBatch } from '../vectors/batch.ts';
import type { Demand, Run, Stage } from './stage.ts';

/** One of the tables of a union, and what `withsource` calls it. */
export interface Branch {
  readonly stage: Stage;
  readonly name: string;
}

interface Merged {
  readonly column: Column;
  /** Which column of each branch it is; undefined where a branch has none. */
  readonly places: readonly (number | undefined)[];
}

/** The rows of all branches, one branch after the other. Columns of one name and different types get the type behind their name (Kusto, "union operator"). */
export function createUnion(branches: readonly Branch[], kind: 'inner' | 'outer', withSource: string | undefined): Stage {
  const merged = mergeColumns(branches, kind);
  const names = createNames();
  const source = withSource === undefined ? [] : [names.unique(withSource)];
  const columns: Column[] = [
    ...source.map((name) => ({ name, type: 'string' as const })),
    ...merged.map(({ column }) => ({ ...column, name: names.unique(column.name) })),
  ];
  return {
    columns,
    async *open(run, demand) {
      for (const place of branches.keys()) yield* openBranch(branches, place, merged, source.length, run, demand);
    },
  };
}

function mergeColumns(branches: readonly Branch[], kind: 'inner' | 'outer'): Merged[] {
  const byKey = new Map<string, { column: Column; places: (number | undefined)[] }>();
  for (const [branch, { stage }] of branches.entries()) {
    for (const [place, column] of stage.columns.entries()) {
      const key = `${column.name} ${column.type}`;
      const known = byKey.get(key) ?? { column, places: branches.map(() => undefined) };
      known.places[branch] = place;
      byKey.set(key, known);
    }
  }
  const all = [...byKey.values()].filter(({ places }) => kind === 'outer' || places.every((place) => place !== undefined));
  const shared = all.map(({ column, places }) => {
    const conflict = all.some((other) => other.column.name === column.name && other.column.type !== column.type);
    return { column: conflict ? { ...column, name: `${column.name}_${column.type}` } : column, places };
  });
  return besideEachOther(shared, all);
}

// Columns of one name stand together, where the first of them stood.
function besideEachOther(merged: readonly Merged[], originals: readonly Merged[]): Merged[] {
  const names = [...new Set(originals.map(({ column }) => column.name))];
  return names.flatMap((name) => merged.filter((_, place) => originals[place]?.column.name === name));
}

async function* openBranch(
  branches: readonly Branch[],
  place: number,
  merged: readonly Merged[],
  skip: number,
  run: Run,
  demand: Demand,
): AsyncGenerator<Batch> {
  const { stage, name } = branches[place] as Branch;
  const source = constantScalar('string', name);
  for await (const batch of stage.open(run, demandOfBranch(place, merged, skip, demand))) {
    yield createBatch(batch.rows, (index) => {
      if (index < skip) return source.evaluate(batch);
      const { column, places } = merged[index - skip] as Merged;
      const own = places[place];
      return own === undefined ? constantVector(column.type, nullOf(column.type), batch.rows) : batch.column(own);
    });
  }
}

function demandOfBranch(place: number, merged: readonly Merged[], skip: number, { columns, ranges }: Demand): Demand {
  const own = (index: number): number | undefined => merged[index - skip]?.places[place];
  const passed = new Map<number, TimeRange>();
  for (const [index, range] of ranges) {
    const column = own(index);
    if (column !== undefined) passed.set(column, range);
  }
  return { columns: new Set([...columns].flatMap((index) => own(index) ?? [])), ranges: passed };
}
