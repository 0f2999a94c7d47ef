import { NO_TEXT, type NumberVector, type TextVector, type Vector } from '../../../tables/vector.ts';
import type { Budget } from '../budget.ts';
import { semanticProblem } from '../problem.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { numberVector } from '../vectors/batch.ts';
import { type Accumulator, type AggregateFunction, argumentAt, resultName } from './aggregate.ts';
import { createDistinctCounter, type DistinctCounter } from './distinct-counter.ts';
import { filtered } from './filtered.ts';
import { createNumberHash, hashText } from './hash.ts';

const DCOUNT: AggregateFunction = {
  name: 'dcount',
  arity: [1, 2],
  bind(call) {
    const argument = argumentAt(call, 0);
    if (argument.scalar.type === 'dynamic') throw semanticProblem(call.word, 'dcount() cannot count dynamic values. Try adding tostring().');
    return {
      outputs: [{ name: resultName('dcount', argument), type: 'long' }],
      columns: argument.scalar.columns,
      start: (budget) => createCounters(argument.scalar, budget),
    };
  },
};

const COUNTER_BYTES = 1_000;

function createCounters(scalar: Scalar, budget: Budget): Accumulator {
  const counters: DistinctCounter[] = [];
  return {
    add(batch, groups, count) {
      budget.spend((count - Math.min(counters.length, count)) * COUNTER_BYTES);
      while (counters.length < count) counters.push(createDistinctCounter(budget));
      const words = hashesOf(scalar.evaluate(batch), batch.rows);
      for (let row = 0; row < batch.rows; row += 1) {
        if (words.present[row] === 1) counters[groups[row] as number]?.add(words.high[row] as number, words.low[row] as number);
      }
    },
    finish: (count) => [
      numberVector(
        'long',
        Float64Array.from({ length: count }, (_, group) => counters[group]?.count() ?? 0),
      ),
    ],
  };
}

interface Hashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** 1 where the row has a value. */
  readonly present: Uint8Array;
}

function hashesOf(vector: Vector, rows: number): Hashes {
  const hashes = { high: new Uint32Array(rows), low: new Uint32Array(rows), present: new Uint8Array(rows) };
  if (vector.kind === 'number') hashNumbers(vector, hashes);
  else hashTexts(vector, hashes);
  return hashes;
}

function hashNumbers({ values }: NumberVector, { high, low, present }: Hashes): void {
  const hash = createNumberHash();
  const words = new Uint32Array(2);
  for (let row = 0; row < high.length; row += 1) {
    const value = values[row] as number;
    if (Number.isNaN(value)) continue;
    hash(value, words);
    present[row] = 1;
    high[row] = words[0] as number;
    low[row] = words[1] as number;
  }
}

// Each text of the dictionary is hashed once. A string without a text is the empty one.
function hashTexts({ codes, dictionary, type }: TextVector, { high, low, present }: Hashes): void {
  const words = new Uint32Array(2);
  const known = { high: new Uint32Array(dictionary.length), low: new Uint32Array(dictionary.length), done: new Uint8Array(dictionary.length) };
  for (let row = 0; row < high.length; row += 1) {
    const code = codes[row] as number;
    if (code === NO_TEXT) {
      if (type !== 'string') continue;
      hashText('', words);
      high[row] = words[0] as number;
      low[row] = words[1] as number;
    } else {
      if (known.done[code] === 0) {
        hashText(dictionary[code] ?? '', words);
        known.high[code] = words[0] as number;
        known.low[code] = words[1] as number;
        known.done[code] = 1;
      }
      high[row] = known.high[code] as number;
      low[row] = known.low[code] as number;
    }
    present[row] = 1;
  }
}

/** How many different values there are: exact up to 2,048 in a group, then about. */
export const DCOUNT_AGGREGATES: readonly AggregateFunction[] = [DCOUNT, filtered('dcountif', DCOUNT)];
