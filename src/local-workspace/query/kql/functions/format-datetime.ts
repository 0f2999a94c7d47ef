import { datetimeText } from '../values/datetime.ts';

/** One piece of a format: the text of `2026-11-29T09:31:31.1234567Z` gives what the piece shows. */
type Piece = (text: string) => string;

// Kusto, "format_datetime()": the longest word first.
const WORDS = /yyyy|yy|MM|M|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|F{1,7}|tt/g;

const PIECES: Readonly<Record<string, Piece>> = {
  yyyy: (text) => text.slice(0, 4),
  yy: (text) => text.slice(2, 4),
  MM: (text) => text.slice(5, 7),
  M: (text) => unpadded(text.slice(5, 7)),
  dd: (text) => text.slice(8, 10),
  d: (text) => unpadded(text.slice(8, 10)),
  HH: (text) => text.slice(11, 13),
  H: (text) => unpadded(text.slice(11, 13)),
  hh: (text) => halfDay(text).padStart(2, '0'),
  h: halfDay,
  mm: (text) => text.slice(14, 16),
  m: (text) => unpadded(text.slice(14, 16)),
  ss: (text) => text.slice(17, 19),
  s: (text) => unpadded(text.slice(17, 19)),
  tt: (text) => (Number(text.slice(11, 13)) < 12 ? 'AM' : 'PM'),
};

/** Reads a format such as `yyyy-MM-dd HH:mm:ss.fff`; other characters stand for themselves. What it gives is empty outside the years 1 to 9999. */
export function createDatetimeFormat(format: string): (ms: number) => string {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of format.matchAll(WORDS)) {
    const plain = format.slice(at, match.index);
    if (plain !== '') pieces.push(() => plain);
    pieces.push(pieceOf(match[0]));
    at = match.index + match[0].length;
  }
  const rest = format.slice(at);
  return (ms) => {
    const text = datetimeText(ms);
    if (text === null) return '';
    let formatted = '';
    for (const piece of pieces) formatted += piece(text);
    return formatted + rest;
  };
}

function pieceOf(word: string): Piece {
  const end = 20 + word.length;
  if (word.startsWith('f')) return (text) => text.slice(20, end);
  if (word.startsWith('F')) return (text) => text.slice(20, end).replace(/0+$/, '');
  return PIECES[word] ?? (() => word);
}

function halfDay(text: string): string {
  return String(Number(text.slice(11, 13)) % 12 || 12);
}

function unpadded(digits: string): string {
  return String(Number(digits));
}
