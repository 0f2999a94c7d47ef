/** The beginning of a message of which more has to come. */
export interface PartialMessage {
  /** Keeps these bytes, up to the most that a message may have. */
  add(bytes: Buffer): void;
  /** Gives what was kept, and begins anew. */
  take(): Buffer;
}

const FIRST_BYTES = 512;
const NOTHING = Buffer.alloc(0);

/** Grows with what comes, never with what was announced, and not beyond `maxBytes`. */
export function createPartialMessage(maxBytes: number): PartialMessage {
  let kept: Buffer = NOTHING;
  let length = 0;
  const makeRoomFor = (bytes: number): void => {
    if (bytes <= kept.length) return;
    const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(bytes, kept.length * 2, FIRST_BYTES)));
    kept.copy(larger, 0, 0, length);
    kept = larger;
  };
  return {
    add(bytes) {
      const more = Math.min(bytes.length, maxBytes - length);
      makeRoomFor(length + more);
      bytes.copy(kept, length, 0, more);
      length += more;
    },
    take() {
      const whole = kept.subarray(0, length);
      kept = NOTHING;
      length = 0;
      return whole;
    },
  };
}
