/**
 * Texts as bytes. Layout: how many texts (4 bytes) · bytes of the codes (4) · form (1) · codes, each 1, 2 or 4 bytes wide · the texts. A code of
 * all ones stands for none. There are no codes where each row has the next text, as with what never comes twice.
 * Texts are, by form: their lengths, 4 bytes each, in UTF-16 units, and then all of them in UTF-8; the same in UTF-16, which holds halves of
 * characters too; or GUIDs of 16 bytes each.
 */
import { bytesOfGuids, guidsOfBytes, isGuid } from './guid-bytes.ts';
import { NO_TEXT } from './vector.ts';

export interface Texts {
  readonly dictionary: readonly string[];
  readonly codes: Uint32Array;
}

const HEADER_BYTES = 9;
const FORM_UTF8 = 0;
const FORM_UTF16 = 1;
const FORM_GUID = 2;

/** The bytes of a column's texts. */
export function encodeTexts({ dictionary, codes }: Texts): Buffer {
  const narrow = narrowed(codes, dictionary.length);
  const { form, pieces } = piecesOf(dictionary);
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32LE(dictionary.length, 0);
  header.writeUInt32LE(narrow.byteLength, 4);
  header.writeUInt8(form, 8);
  return Buffer.concat([header, bytesOf(narrow), ...pieces]);
}

/** What `encodeTexts` was given. Throws a RangeError when the bytes do not fit `rows`. */
export function decodeTexts(bytes: Buffer, rows: number): Texts {
  const count = bytes.readUInt32LE(0);
  const codeBytes = bytes.readUInt32LE(4);
  const textsAt = HEADER_BYTES + codeBytes;
  const width = rows === 0 ? 0 : codeBytes / rows;
  if (![0, 1, 2, 4].includes(width) || (width === 0 && count !== rows && rows > 0) || textsAt > bytes.length) {
    throw new RangeError(`a column of ${rows} texts has ${bytes.length} bytes`);
  }
  const codes = width === 0 ? inOrder(rows) : widened(aligned(bytes, HEADER_BYTES, codeBytes), width);
  return { dictionary: textsOf(bytes.subarray(textsAt), count, bytes.readUInt8(8)), codes };
}

function piecesOf(dictionary: readonly string[]): { readonly form: number; readonly pieces: readonly Uint8Array[] } {
  if (dictionary.length > 0 && dictionary.every(isGuid)) return { form: FORM_GUID, pieces: [bytesOfGuids(dictionary)] };
  const lengths = bytesOf(Uint32Array.from(dictionary, (text) => text.length));
  const all = dictionary.join('');
  // Each by itself: two halves that meet would make a whole one.
  const isWhole = dictionary.every((text) => text.isWellFormed());
  return { form: isWhole ? FORM_UTF8 : FORM_UTF16, pieces: [lengths, Buffer.from(all, isWhole ? 'utf8' : 'utf16le')] };
}

function textsOf(bytes: Buffer, count: number, form: number): string[] {
  const lengthBytes = form === FORM_GUID ? 16 * count : 4 * count;
  if (lengthBytes > bytes.length) throw new RangeError(`${count} texts have ${bytes.length} bytes`);
  if (form === FORM_GUID) return guidsOfBytes(bytes, count);
  const all = bytes.toString(form === FORM_UTF8 ? 'utf8' : 'utf16le', lengthBytes);
  return cutUp(all, new Uint32Array(aligned(bytes, 0, lengthBytes)));
}

// One decoding for all of them: the texts are slices of it, which cost nothing until they are read.
function cutUp(all: string, lengths: Uint32Array): string[] {
  const dictionary = new Array<string>(lengths.length);
  let from = 0;
  for (let at = 0; at < lengths.length; at += 1) {
    const to = from + (lengths[at] as number);
    dictionary[at] = all.slice(from, to);
    from = to;
  }
  return dictionary;
}

function narrowed(codes: Uint32Array, texts: number): Uint8Array | Uint16Array | Uint32Array {
  if (texts === codes.length && codes.every((code, at) => code === at)) return new Uint8Array();
  // All ones of a narrow code is the low part of NO_TEXT.
  if (texts < 0xff) return new Uint8Array(codes);
  return texts < 0xffff ? new Uint16Array(codes) : codes;
}

function inOrder(rows: number): Uint32Array {
  const codes = new Uint32Array(rows);
  for (let at = 0; at < rows; at += 1) codes[at] = at;
  return codes;
}

function widened(body: ArrayBufferLike, width: number): Uint32Array {
  if (width === 4) return new Uint32Array(body);
  const narrow = width === 1 ? new Uint8Array(body) : new Uint16Array(body);
  const none = width === 1 ? 0xff : 0xffff;
  const codes = new Uint32Array(narrow.length);
  for (let at = 0; at < narrow.length; at += 1) codes[at] = narrow[at] === none ? NO_TEXT : (narrow[at] as number);
  return codes;
}

function aligned(bytes: Buffer, from: number, length: number): ArrayBufferLike {
  return bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + from + length);
}

function bytesOf(values: Uint8Array | Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
