import type { Budget } from '../budget.ts';
import { createPairIndex, type PairIndex } from '../vectors/pair-index.ts';

/** Counts different values by their hashes: exactly while there are few, then about (HyperLogLog: 2^14 registers, a standard error of 0.8 %). */
export interface DistinctCounter {
  /** Two 32-bit words of a value's hash. */
  add(high: number, low: number): void;
  count(): number;
}

const EXACT = 2_048;
const INDEX_BITS = 14;
const REGISTERS = 2 ** INDEX_BITS;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);
const NONE = new Uint8Array(0);

export function createDistinctCounter(budget: Budget): DistinctCounter {
  const whileExact = budget.part();
  let exact: PairIndex | undefined = createPairIndex(whileExact);
  let registers = NONE;

  const register = (high: number, low: number): void => {
    const place = high >>> (32 - INDEX_BITS);
    const rank = Math.clz32(low) + 1;
    if (rank > (registers[place] as number)) registers[place] = rank;
  };
  const spill = (pairs: PairIndex): void => {
    budget.spend(REGISTERS);
    registers = new Uint8Array(REGISTERS);
    pairs.each(register);
    exact = undefined;
    whileExact.end();
  };

  return {
    add(high, low) {
      if (!exact) return register(high, low);
      exact.enter(high, low);
      if (exact.size > EXACT) spill(exact);
    },
    count: () => exact?.size ?? estimate(registers),
  };
}

// Flajolet et al. 2007, with linear counting while registers are empty. The hash has bits enough that large numbers need no correction.
function estimate(registers: Uint8Array): number {
  let sum = 0;
  let empty = 0;
  for (const rank of registers) {
    sum += 2 ** -rank;
    if (rank === 0) empty += 1;
  }
  const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
  return Math.round(raw <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : raw);
}
