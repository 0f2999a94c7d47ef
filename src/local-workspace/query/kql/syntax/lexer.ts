import { syntaxProblem } from '../problem.ts';
import { readNumber } from './number-token.ts';
import { isStringStart, readString } from './string-token.ts';
import { type Token, TYPE_WORDS } from './token.ts';
import { readTyped } from './typed-token.ts';

const SPACE = /(?:\s|\/\/[^\n]*)*/y;
const NAME = /[A-Za-z_$][A-Za-z0-9_]*/y;
// `!contains`, `!in~`: one word. `in~` and `has_any` are names like others.
const NEGATED = /!(?:in~|between|in|has_cs|hasprefix|hassuffix|has|contains_cs|contains|startswith_cs|startswith|endswith_cs|endswith)(?![A-Za-z0-9_])/y;
const SYMBOL = /\.\.|==|!=|<>|<=|>=|=~|!~|[=<>+\-*/%()[\]{},;|.:]/y;

/** Cuts a query into words. Throws a syntax problem that names what is no word of the language. */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let at = skip(text, 0);
  while (at < text.length) {
    const token = readToken(text, at);
    tokens.push(token);
    at = skip(text, token.end);
  }
  tokens.push({ kind: 'end', offset: text.length, end: text.length, text: '' });
  return tokens;
}

function skip(text: string, at: number): number {
  return at + (matchAt(SPACE, text, at)?.length ?? 0);
}

function readToken(text: string, at: number): Token {
  if (isStringStart(text, at)) return readString(text, at);
  const first = text[at] ?? '';
  if (first >= '0' && first <= '9') return readNumber(text, at);
  const name = matchAt(NAME, text, at);
  if (name !== undefined) return readName(text, at, name);
  const word = matchAt(NEGATED, text, at);
  if (word !== undefined) return { kind: 'name', offset: at, end: at + word.length, text: word };
  const symbol = matchAt(SYMBOL, text, at);
  if (symbol !== undefined) return { kind: 'symbol', offset: at, end: at + symbol.length, text: symbol };
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  throw syntaxProblem({ offset: at, text: character }, `the character ${character} means nothing here`);
}

function readName(text: string, at: number, name: string): Token {
  const end = at + name.length;
  if (name === 'in' && text[end] === '~') return { kind: 'name', offset: at, end: end + 1, text: 'in~' };
  const type = Object.hasOwn(TYPE_WORDS, name) ? TYPE_WORDS[name] : undefined;
  const open = skip(text, end);
  if (type !== undefined && text[open] === '(') return readTyped(text, at, open, type);
  return { kind: 'name', offset: at, end, text: name };
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
