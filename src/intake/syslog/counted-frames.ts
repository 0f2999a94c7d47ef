import type { FrameReader, FramingParts } from './framing.ts';
import { createPartialMessage } from './partial-message.ts';

/** 99,999,999 bytes: what is longer is no length, but a stream that has lost its place. */
const MOST_DIGITS = 8;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** Octet counting (RFC 5425 §4.3): `MSG-LEN SP SYSLOG-MSG`, where MSG-LEN has no leading zero. */
export function createCountedFrames({ maxMessageBytes, onMessage }: FramingParts): FrameReader {
  const part = createPartialMessage(maxMessageBytes);
  /** As far as its digits have come. */
  let size = 0;
  let digits = 0;
  /** Bytes of the message that have not come; 0 while its length is read. */
  let left = 0;

  const readLength = (byte: number): string | undefined => {
    if (byte === SPACE && digits > 0) {
      left = size;
      digits = 0;
      return undefined;
    }
    const isDigit = byte >= DIGIT_0 && byte <= DIGIT_9 && !(digits === 0 && byte === DIGIT_0);
    if (!isDigit) return `where a message's length should be, byte 0x${byte.toString(16).padStart(2, '0')} was found`;
    if (digits === MOST_DIGITS) return `a message's length has more than ${MOST_DIGITS} digits`;
    size = (digits === 0 ? 0 : size * 10) + byte - DIGIT_0;
    digits += 1;
    return undefined;
  };
  const readBody = (chunk: Buffer, from: number): number => {
    const to = Math.min(from + left, chunk.length);
    if (to - from === size) onMessage(chunk.subarray(from, from + Math.min(size, maxMessageBytes)), size > maxMessageBytes);
    else {
      part.add(chunk.subarray(from, to));
      if (to - from === left) onMessage(part.take(), size > maxMessageBytes);
    }
    left -= to - from;
    return to;
  };

  return {
    read(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (left > 0) at = readBody(chunk, at);
        else {
          const wrong = readLength(chunk[at] ?? 0);
          if (wrong !== undefined) return wrong;
          at += 1;
        }
      }
      return undefined;
    },
    end: () => left > 0 || digits > 0,
  };
}
