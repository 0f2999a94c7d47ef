import type { ColumnType } from '../../../tables/column.ts';
import type { Vector } from '../../../tables/vector.ts';
import type { Budget } from '../budget.ts';
import { type GrowableCodes, growableCodes } from './growable.ts';
import { createKeyCodes, type KeyCodes, UNKNOWN_KEY } from './key-codes.ts';
import { createPairIndex, type PairIndex } from './pair-index.ts';

/** Numbers the different combinations of keys from 0, in the order they first come. */
export interface GroupIndex {
  /** Each row's group; new combinations get the next number. */
  enter(keys: readonly Vector[], rows: number): Uint32Array;
  /** Each row's group; `UNKNOWN_KEY` for combinations that were never entered. */
  find(keys: readonly Vector[], rows: number): Uint32Array;
  readonly groups: number;
  /** What the key at this place is for each group. */
  keyVector(place: number): Vector;
}

/** Without keys there is one group, from the first row on. */
export function createGroupIndex(types: readonly ColumnType[], budget: Budget): GroupIndex {
  const codes = types.map((type) => createKeyCodes(type, budget));
  // Groups of the first key, then of the first two, and so on: the last has the groups asked for.
  const pairs = types.slice(1).map(() => createPairIndex(budget));
  const keysOf = types.map(() => growableCodes(budget));
  let groups = 0;

  const record = (ids: Uint32Array, keyCodes: readonly Uint32Array[], rows: number): void => {
    for (let row = 0; row < rows; row += 1) {
      if (ids[row] !== groups) continue;
      groups += 1;
      for (let place = 0; place < keysOf.length; place += 1) (keysOf[place] as GrowableCodes).reserve(groups)[groups - 1] = keyCodes[place]?.[row] ?? 0;
    }
  };

  return {
    enter(keys, rows) {
      const keyCodes = codes.map((one, place) => one.encode(keys[place] as Vector, rows));
      const ids = combine(keyCodes, rows, pairs, 'enter');
      if (types.length === 0) groups = rows > 0 ? 1 : groups;
      else record(ids, keyCodes, rows);
      return ids;
    },
    find: (keys, rows) =>
      combine(
        codes.map((one, place) => one.look(keys[place] as Vector, rows)),
        rows,
        pairs,
        'find',
      ),
    get groups() {
      return groups;
    },
    keyVector: (place) => (codes[place] as KeyCodes).decode((keysOf[place] as GrowableCodes).reserve(groups).subarray(0, groups)),
  };
}

function combine(keyCodes: readonly Uint32Array[], rows: number, pairs: readonly PairIndex[], how: 'enter' | 'find'): Uint32Array {
  const first = keyCodes[0];
  if (!first) return new Uint32Array(rows);
  let ids = first;
  for (const [place, pair] of pairs.entries()) {
    ids = how === 'enter' ? enterPairs(pair, ids, keyCodes[place + 1] as Uint32Array, rows) : findPairs(pair, ids, keyCodes[place + 1] as Uint32Array, rows);
  }
  return ids;
}

function enterPairs(pair: PairIndex, ids: Uint32Array, codes: Uint32Array, rows: number): Uint32Array {
  const combined = new Uint32Array(rows);
  for (let row = 0; row < rows; row += 1) combined[row] = pair.enter(ids[row] as number, codes[row] as number);
  return combined;
}

function findPairs(pair: PairIndex, ids: Uint32Array, codes: Uint32Array, rows: number): Uint32Array {
  const combined = new Uint32Array(rows).fill(UNKNOWN_KEY);
  for (let row = 0; row < rows; row += 1) {
    if (ids[row] === UNKNOWN_KEY || codes[row] === UNKNOWN_KEY) continue;
    const found = pair.find(ids[row] as number, codes[row] as number);
    if (found >= 0) combined[row] = found;
  }
  return combined;
}
