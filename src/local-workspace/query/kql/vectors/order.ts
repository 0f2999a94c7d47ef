import type { Vector } from '../../../tables/vector.ts';
import { textAt } from './batch.ts';

/** How rows are put in order by one key. */
export interface SortOrder {
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** Below 0 when row `a` comes before row `b`. */
export type RowOrder = (a: number, b: number) => number;

/** The order of rows by these keys, the first key first. Texts by their UTF-16 units. */
export function rowOrder(keys: readonly Vector[], orders: readonly SortOrder[]): RowOrder {
  const each = keys.map((key, place) => keyOrder(key, orders[place] as SortOrder));
  const [first, ...others] = each;
  if (!first) return () => 0;
  if (others.length === 0) return first;
  return (a, b) => {
    let order = first(a, b);
    for (let place = 0; order === 0 && place < others.length; place += 1) order = (others[place] as RowOrder)(a, b);
    return order;
  };
}

function keyOrder(key: Vector, { descending, nullsFirst }: SortOrder): RowOrder {
  const sign = descending ? -1 : 1;
  const nullSign = nullsFirst ? -1 : 1;
  if (key.kind === 'number') {
    const { values } = key;
    return (a, b) => compareNumbers(values[a] as number, values[b] as number, sign, nullSign);
  }
  const missing = key.type === 'string' ? '' : undefined;
  return (a, b) => compareTexts(textAt(key, a) ?? missing, textAt(key, b) ?? missing, sign, nullSign);
}

function compareNumbers(a: number, b: number, sign: number, nullSign: number): number {
  if (a < b) return -sign;
  if (a > b) return sign;
  if (a === b) return 0;
  const [nullA, nullB] = [Number.isNaN(a), Number.isNaN(b)];
  if (nullA === nullB) return 0;
  return nullA ? nullSign : -nullSign;
}

function compareTexts(a: string | undefined, b: string | undefined, sign: number, nullSign: number): number {
  if (a === b) return 0;
  if (a === undefined) return nullSign;
  if (b === undefined) return -nullSign;
  return a < b ? -sign : sign;
}

/** Texts as numbers in their order, so that sorting many rows compares numbers. The vector is not changed. */
export function rankTexts(key: Vector): Vector {
  if (key.kind === 'number') return key;
  const places = Uint32Array.from(key.dictionary.keys()).sort((a, b) => ((key.dictionary[a] as string) < (key.dictionary[b] as string) ? -1 : 1));
  const ranks = new Float64Array(key.dictionary.length);
  for (const [rank, place] of places.entries()) ranks[place] = rank;
  const missing = key.type === 'string' ? -1 : Number.NaN;
  return { kind: 'number', type: 'long', values: Float64Array.from(key.codes, (code) => ranks[code] ?? missing) };
}
