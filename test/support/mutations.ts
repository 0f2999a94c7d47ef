/** Broken inputs that a test can repeat. */

const INTERESTING = [0x00, 0x0a, 0x20, 0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff];

/** A copy with one to four faults: bytes changed, left out, put in, repeated or cut off. `random` gives numbers from 0 to 1. */
export function mutated(bytes: Buffer, random: () => number): Buffer {
  const upTo = (end: number): number => Math.floor(random() * end);
  let result = Buffer.from(bytes);
  for (let faults = 1 + upTo(4); faults > 0; faults -= 1) {
    const at = upTo(result.length + 1);
    const length = upTo(Math.min(16, result.length - at) + 1);
    const some = INTERESTING[upTo(INTERESTING.length)] ?? 0;
    const kinds = [
      () => Buffer.concat([result.subarray(0, at), Buffer.of(upTo(256)), result.subarray(at + 1)]),
      () => Buffer.concat([result.subarray(0, at), Buffer.of(some), result.subarray(at + 1)]),
      () => Buffer.concat([result.subarray(0, at), result.subarray(at + length)]),
      () => Buffer.concat([result.subarray(0, at), Buffer.of(some), result.subarray(at)]),
      () => Buffer.concat([result.subarray(0, at), result.subarray(at, at + length), result.subarray(at)]),
      () => result.subarray(0, at),
    ];
    result = kinds[upTo(kinds.length)]?.() ?? result;
  }
  return result;
}
