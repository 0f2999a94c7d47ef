import { NO_TEXT } from '../../../tables/vector.ts';
import { BATCH_ROWS } from '../limits.ts';
import { UNKNOWN_KEY } from '../vectors/key-codes.ts';
import type { RightSide } from './join-build.ts';

/** In place of a right row, where a left row matches none. */
export const NO_MATCH: number = NO_TEXT;

export interface Matches {
  readonly lefts: Uint32Array;
  readonly rights: Uint32Array;
}

/** Pairs of rows with equal keys, so many at a time: a key that many rows have on both sides makes very many. */
export function* matchRows(groups: Uint32Array, { first, after }: Pick<RightSide, 'first' | 'after'>, outer: boolean): Generator<Matches> {
  let lefts = new Uint32Array(BATCH_ROWS);
  let rights = new Uint32Array(BATCH_ROWS);
  let count = 0;
  for (let left = 0; left < groups.length; left += 1) {
    const group = groups[left] as number;
    let next = group === UNKNOWN_KEY ? 0 : (first[group] as number);
    if (next === 0 && outer) next = NO_MATCH;
    while (next !== 0) {
      lefts[count] = left;
      rights[count] = next === NO_MATCH ? NO_MATCH : next - 1;
      count += 1;
      next = next === NO_MATCH ? 0 : (after[next - 1] as number);
      if (count < BATCH_ROWS) continue;
      yield { lefts, rights };
      lefts = new Uint32Array(BATCH_ROWS);
      rights = new Uint32Array(BATCH_ROWS);
      count = 0;
    }
  }
  if (count > 0) yield { lefts: lefts.subarray(0, count), rights: rights.subarray(0, count) };
}
