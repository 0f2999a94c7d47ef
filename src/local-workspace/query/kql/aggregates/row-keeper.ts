import type { ColumnType } from '../../../tables/column.ts';
import type { Vector } from '../../../tables/vector.ts';
import { type Budget, textBytes } from '../budget.ts';
import { type Cell, nullOf } from '../values/cell.ts';
import { cellAt } from '../vectors/batch.ts';
import { createVectorBuilder } from '../vectors/vector-builder.ts';

/** Keeps some values of one row for each group. */
export interface RowKeeper {
  /** Puts a row's values in the place of what the group has. */
  keep(group: number, vectors: readonly Vector[], row: number): void;
  has(group: number): boolean;
  /** One of the values kept; null without any. */
  cell(group: number, place: number): Cell;
  finish(count: number): Vector[];
}

export function createRowKeeper(types: readonly ColumnType[], budget: Budget): RowKeeper {
  const kept: (Cell[] | undefined)[] = [];
  return {
    keep(group, vectors, row) {
      const cells = vectors.map((vector) => cellAt(vector, row));
      budget.spend(bytesOf(cells) - bytesOf(kept[group] ?? []));
      kept[group] = cells;
    },
    has: (group) => kept[group] !== undefined,
    cell: (group, place) => kept[group]?.[place] ?? null,
    finish: (count) =>
      types.map((type, place) => {
        const builder = createVectorBuilder(type, count);
        for (let group = 0; group < count; group += 1) builder.set(group, kept[group]?.[place] ?? nullOf(type));
        return builder.build();
      }),
  };
}

function bytesOf(cells: readonly Cell[]): number {
  return cells.reduce((bytes: number, cell) => bytes + (typeof cell === 'string' ? textBytes(cell) : 16), 0);
}
