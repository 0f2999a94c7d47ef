import type { Budget } from '../budget.ts';

/** Arrays of numbers that grow; what they take is spent first. The array itself may change with each call of `reserve`. */
export interface GrowableNumbers {
  /** An array of at least `length` places; new places hold the filler. */
  reserve(length: number): Float64Array;
}

export interface GrowableCodes {
  reserve(length: number): Uint32Array;
}

export function growableNumbers(budget: Budget, filler = 0): GrowableNumbers {
  let array = new Float64Array(0);
  return {
    reserve(length) {
      if (length <= array.length) return array;
      const capacity = grown(length, array.length);
      budget.spend(8 * capacity);
      const next = new Float64Array(capacity);
      if (filler !== 0) next.fill(filler, array.length);
      next.set(array);
      array = next;
      return array;
    },
  };
}

export function growableCodes(budget: Budget, filler = 0): GrowableCodes {
  let array = new Uint32Array(0);
  return {
    reserve(length) {
      if (length <= array.length) return array;
      const capacity = grown(length, array.length);
      budget.spend(4 * capacity);
      const next = new Uint32Array(capacity);
      if (filler !== 0) next.fill(filler, array.length);
      next.set(array);
      array = next;
      return array;
    },
  };
}

function grown(length: number, capacity: number): number {
  return Math.max(length, Math.ceil(capacity * 1.5), 16);
}
