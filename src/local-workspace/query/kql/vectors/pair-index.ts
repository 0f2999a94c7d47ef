import type { Budget } from '../budget.ts';

/** Numbers pairs of 32-bit words from 0, in the order they first come: a hash table in three typed arrays, a few nanoseconds a look. */
export interface PairIndex {
  /** The pair's number, a new one when it has none. */
  enter(first: number, second: number): number;
  /** The pair's number, or -1. */
  find(first: number, second: number): number;
  /** Every pair, in no order. */
  each(take: (first: number, second: number) => void): void;
  readonly size: number;
}

const FIRST_SLOTS = 64;
const SLOT_BYTES = 12;

/** Grows at half full; each growth is spent first. */
export function createPairIndex(budget: Budget): PairIndex {
  let firsts = new Uint32Array(FIRST_SLOTS);
  let seconds = new Uint32Array(FIRST_SLOTS);
  let numbers = new Uint32Array(FIRST_SLOTS); // a pair's number + 1; 0 where there is none
  let size = 0;

  const slotOf = (first: number, second: number): number => {
    const mask = numbers.length - 1;
    let slot = hashOfPair(first, second) & mask;
    while (numbers[slot] !== 0 && (firsts[slot] !== first || seconds[slot] !== second)) slot = (slot + 1) & mask;
    return slot;
  };
  const put = (first: number, second: number, number: number): void => {
    const slot = slotOf(first, second);
    firsts[slot] = first;
    seconds[slot] = second;
    numbers[slot] = number;
  };
  const grow = (): void => {
    const [oldFirsts, oldSeconds, oldNumbers] = [firsts, seconds, numbers];
    const slots = numbers.length * 2;
    budget.spend(slots * SLOT_BYTES);
    firsts = new Uint32Array(slots);
    seconds = new Uint32Array(slots);
    numbers = new Uint32Array(slots);
    for (let slot = 0; slot < oldNumbers.length; slot += 1) {
      const number = oldNumbers[slot] as number;
      if (number !== 0) put(oldFirsts[slot] as number, oldSeconds[slot] as number, number);
    }
  };

  return {
    enter(first, second) {
      const slot = slotOf(first, second);
      const number = numbers[slot] as number;
      if (number !== 0) return number - 1;
      size += 1;
      firsts[slot] = first;
      seconds[slot] = second;
      numbers[slot] = size;
      if (size * 2 > numbers.length) grow();
      return size - 1;
    },
    find: (first, second) => (numbers[slotOf(first, second)] as number) - 1,
    each(take) {
      for (let slot = 0; slot < numbers.length; slot += 1) {
        if (numbers[slot] !== 0) take(firsts[slot] as number, seconds[slot] as number);
      }
    },
    get size() {
      return size;
    },
  };
}

/** Spreads two 32-bit words over 32 bits. */
export function hashOfPair(first: number, second: number): number {
  let hash = Math.imul(first ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(second ^ (second >>> 15), 0xc2b2_ae35);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x27d4_eb2f);
  return (hash ^ (hash >>> 16)) >>> 0;
}
