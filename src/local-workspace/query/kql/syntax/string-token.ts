import { syntaxProblem } from '../problem.ts';
import type { Token } from './token.ts';

const START = /[hH]?@?["']|[hH]?```/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|([\s\S]))/g;
const LETTERS: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '"': '"', "'": "'" };
const SHOWN_CHARS = 40;

export function isStringStart(text: string, at: number): boolean {
  START.lastIndex = at;
  return START.test(text);
}

/** A string: plain with escapes, verbatim (`@'…'`, quotes doubled), in three back quotes over lines, each also hidden (`h'…'`). */
export function readString(text: string, at: number): Token {
  START.lastIndex = at;
  const start = START.exec(text)?.[0] ?? '';
  const from = at + start.length;
  if (start.endsWith('```')) return ended(text, at, from, text.indexOf('```', from), '```', (raw) => raw);
  const quote = start.endsWith('"') ? '"' : "'";
  const verbatim = start.includes('@');
  const end = endOfString(text, from, quote, verbatim);
  const read = verbatim ? (raw: string) => raw.replaceAll(quote + quote, quote) : (raw: string) => unescaped(raw, from);
  return ended(text, at, from, end, quote, read);
}

// Where the quote stands that ends a string; -1 when its line ends first. A quote after a backslash, or a doubled one in a verbatim string, does not.
function endOfString(text: string, from: number, quote: string, verbatim: boolean): number {
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\n' || character === '\r') return -1;
    if (verbatim ? character === quote && text[at + 1] === quote : character === '\\' && !isLineEnd(text[at + 1])) at += 1;
    else if (character === quote) return at;
  }
  return -1;
}

function isLineEnd(character: string | undefined): boolean {
  return character === '\n' || character === '\r';
}

function ended(text: string, at: number, from: number, end: number, quote: string, read: (raw: string) => string): Token {
  if (end < 0) {
    const line = (text.slice(at, at + SHOWN_CHARS).split(/[\r\n]/)[0] ?? '').trimEnd();
    throw syntaxProblem({ offset: at, text: line }, `the string that begins here has no end; close it with ${quote} on the same line`);
  }
  const close = end + quote.length;
  return { kind: 'string', offset: at, end: close, text: text.slice(at, close), value: read(text.slice(from, end)) };
}

function unescaped(raw: string, from: number): string {
  return raw.replace(
    ESCAPE,
    (whole, unicode: string | undefined, hex: string | undefined, octal: string | undefined, letter: string | undefined, place: number) => {
      if (unicode !== undefined || hex !== undefined) return String.fromCharCode(Number.parseInt(unicode ?? hex ?? '', 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      const meant = LETTERS[letter ?? ''];
      if (meant === undefined)
        throw syntaxProblem({ offset: from + place, text: whole }, `${whole} is no escape in a string; write \\\\ for a backslash, or @ before the string`);
      return meant;
    },
  );
}
