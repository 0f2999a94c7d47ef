/**
 * Cuts a stream into messages. Which framing it has is told by its first byte, and stays: `<` begins a message that a line feed ends, anything
 * else must be a length. Invariant: no more than one message is held, and a stream that breaks its framing is given up, never guessed at.
 */
import { createCountedFrames } from './counted-frames.ts';
import { createLineFrames } from './line-frames.ts';

export interface FramingParts {
  /** Bytes of a message that are kept; the rest is skipped. */
  readonly maxMessageBytes: number;
  /** Called for each message, in order. The bytes may be the chunk's own: they are good during the call. */
  readonly onMessage: (bytes: Buffer, isCut: boolean) => void;
}

export interface FrameReader {
  /** Reads on. Says what is wrong when nothing more of the stream can be read. */
  read(chunk: Buffer): string | undefined;
  /** The stream has ended: gives out a last line that no line feed ended. True when a counted message was cut off. */
  end(): boolean;
}

const PRIORITY_BEGINS = 0x3c;

export function createFraming(parts: FramingParts): FrameReader {
  let frames: FrameReader | undefined;
  return {
    read(chunk) {
      if (chunk.length === 0) return undefined;
      frames ??= chunk[0] === PRIORITY_BEGINS ? createLineFrames(parts) : createCountedFrames(parts);
      return frames.read(chunk);
    },
    end: () => frames?.end() ?? false,
  };
}
