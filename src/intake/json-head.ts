/**
 * Finds the text values of a few keys at the top level of a JSON object, byte by byte, in as many chunks as it comes in, keeping nothing
 * but where it is. It is no validator: it says "not JSON" only when it meets what cannot be part of an object.
 */

export type HeadState = 'more' | 'found' | 'ended' | 'not-json';

export interface JsonHead {
  /** `found` as soon as every key has a value, `ended` after the object's closing brace. */
  feed(chunk: Uint8Array): HeadState;
  value(key: string): string | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d]);
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** Longest key or value that is looked at, in bytes. */
const MAX_TEXT_BYTES = 256;
const MAX_DEPTH = 1_000_000;

export function createJsonHead(keys: readonly string[]): JsonHead {
  const values = new Map<string, string>();
  let depth = 0;
  let inString = false;
  let escaped = false;
  let started = false;
  let ended = false;
  let mark = 0;
  /** At depth 1: are we where a key stands, or behind a colon? */
  let expectsKey = false;
  let key = '';
  let text: number[] = [];

  const endString = (): void => {
    if (depth !== 1) return;
    const content = decode(text);
    if (expectsKey) key = content;
    else if (keys.includes(key) && !values.has(key)) values.set(key, content);
  };

  const step = (byte: number): boolean => {
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) {
        inString = false;
        endString();
        return true;
      }
      if (depth === 1 && text.length <= MAX_TEXT_BYTES) text.push(byte);
      return true;
    }
    if (byte === QUOTE) {
      inString = true;
      text = [];
    } else if (OPEN.has(byte)) {
      depth += 1;
      if (depth > MAX_DEPTH) return false;
    } else if (CLOSE.has(byte)) {
      depth -= 1;
      if (depth === 0) ended = true;
    } else if (depth === 1 && byte === 0x3a) expectsKey = false;
    else if (depth === 1 && byte === 0x2c) expectsKey = true;
    return true;
  };

  const begin = (byte: number): HeadState => {
    if (byte === BYTE_ORDER_MARK[mark]) mark += 1;
    else if (byte === 0x7b) {
      started = true;
      depth = 1;
      expectsKey = true;
    } else if (!BLANK.has(byte)) return 'not-json';
    return 'more';
  };

  return {
    feed(chunk) {
      for (const byte of chunk) {
        if (ended) {
          if (!BLANK.has(byte)) return 'not-json';
        } else if (!started) {
          if (begin(byte) === 'not-json') return 'not-json';
        } else if (!step(byte)) return 'not-json';
        if (values.size === keys.length) return 'found';
      }
      return ended ? 'ended' : 'more';
    },
    value: (wanted) => values.get(wanted),
  };
}

function decode(bytes: readonly number[]): string {
  const raw = Buffer.from(bytes).toString('utf8');
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return raw;
  }
}
