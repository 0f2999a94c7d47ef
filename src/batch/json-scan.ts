/**
 * Steps over JSON byte by byte, without making objects of it. It is no validator: it finds where a value ends by its quotes and brackets, and
 * never goes on behind the bytes.
 */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

const BACKSLASH = 0x5c;

/** The first place that is not blank, from here on. */
export function skipBlank(json: Buffer, from: number): number {
  let at = from;
  while (isBlank(json[at])) at += 1;
  return at;
}

/** Behind the closing quote of the string that begins here, or the end of the bytes. */
export function skipString(json: Buffer, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, json.length);
}

/** Behind the value that begins here: before the comma or bracket that ends it at this depth, and the blanks before that. `from` where there is none. */
export function skipValue(json: Buffer, from: number): number {
  let depth = 0;
  let end = from;
  for (let at = from; at < json.length; at = end) {
    const byte = json[at];
    if (byte === QUOTE) {
      end = skipString(json, at);
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
    else if (byte === COMMA && depth === 0) break;
    if (depth < 0) break;
    end = at + 1;
  }
  while (end > from && isBlank(json[end - 1])) end -= 1;
  return end;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
