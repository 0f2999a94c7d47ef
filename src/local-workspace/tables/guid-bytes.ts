/** GUIDs as 16 bytes each, in the order of their digits. */
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const GUID_BYTES = 16;
const TEXT_BYTES = 36;
const DASH = 0x2d;
/** Of the bytes of a GUID, those with a dash before them. */
const AFTER_DASH = new Set([4, 6, 8, 10]);
const DIGITS = Uint8Array.from({ length: 16 }, (_, digit) => digit.toString(16).charCodeAt(0));

/** Whether a text is a GUID as `guidsOfBytes` writes it: in lower case, with its four dashes. */
export function isGuid(text: string): boolean {
  return text.length === TEXT_BYTES && GUID.test(text);
}

/** The bytes of these GUIDs, one after another. */
export function bytesOfGuids(guids: readonly string[]): Buffer {
  return Buffer.from(guids.join('').replaceAll('-', ''), 'hex');
}

/** The first `count` GUIDs of the bytes; they are slices of one text. */
export function guidsOfBytes(bytes: Uint8Array, count: number): string[] {
  const text = Buffer.allocUnsafe(TEXT_BYTES * count);
  let to = 0;
  for (let from = 0; from < GUID_BYTES * count; from += 1) {
    if (AFTER_DASH.has(from % GUID_BYTES)) {
      text[to] = DASH;
      to += 1;
    }
    const byte = bytes[from] as number;
    text[to] = DIGITS[byte >> 4] as number;
    text[to + 1] = DIGITS[byte & 0xf] as number;
    to += 2;
  }
  const all = text.toString('latin1');
  return Array.from({ length: count }, (_, at) => all.slice(TEXT_BYTES * at, TEXT_BYTES * (at + 1)));
}
