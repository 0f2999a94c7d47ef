import type { FrameReader, FramingParts } from './framing.ts';
import { createPartialMessage } from './partial-message.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Non-transparent framing (RFC 6587 §3.4.2): a line feed ends each message. Lines with nothing in them are no messages. */
export function createLineFrames({ maxMessageBytes, onMessage }: FramingParts): FrameReader {
  const part = createPartialMessage(maxMessageBytes);
  /** Bytes of the line that came with earlier chunks. */
  let earlier = 0;

  const emit = (line: Buffer, size: number): void => {
    const isCut = size > maxMessageBytes;
    const hasReturn = !isCut && line[line.length - 1] === CARRIAGE_RETURN;
    const message = hasReturn ? line.subarray(0, -1) : line;
    if (message.length > 0) onMessage(message, isCut);
  };
  const emitPart = (): void => {
    const size = earlier;
    earlier = 0;
    emit(part.take(), size);
  };
  const keep = (piece: Buffer): void => {
    part.add(piece);
    earlier += piece.length;
  };

  return {
    read(chunk) {
      let at = 0;
      while (at < chunk.length) {
        const end = chunk.indexOf(LINE_FEED, at);
        if (end === -1) {
          keep(chunk.subarray(at));
          break;
        }
        if (earlier > 0) {
          keep(chunk.subarray(at, end));
          emitPart();
        } else emit(chunk.subarray(at, Math.min(end, at + maxMessageBytes)), end - at);
        at = end + 1;
      }
      return undefined;
    },
    end() {
      if (earlier > 0) emitPart();
      return false;
    },
  };
}
