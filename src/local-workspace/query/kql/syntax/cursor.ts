import { MAX_DEPTH } from '../limits.ts';
import { syntaxProblem, type TextProblem, type Word } from '../problem.ts';
import type { Token } from './token.ts';

/** Reads a query word by word. */
export interface Cursor {
  /** The next word, or the one after so many more. */
  peek(ahead?: number): Token;
  next(): Token;
  /** Whether the next word is this name or symbol. */
  at(text: string): boolean;
  /** Takes the next word if it is this name or symbol. */
  take(text: string): Token | undefined;
  /** Takes this name or symbol; a syntax problem when the next word is another. */
  expect(text: string, what: string): Token;
  /** Takes a name (`x` or `['x y']`); its text is the name itself. */
  name(what: string): Word;
  /** Reads something within brackets; a syntax problem when there are too many of them around it. */
  within<T>(read: () => T): T;
  /** A syntax problem at the next word. */
  problem(message: string): TextProblem;
}

export function createCursor(tokens: readonly Token[]): Cursor {
  const last = tokens.at(-1) as Token;
  let place = 0;
  let depth = 0;

  const peek = (ahead = 0): Token => tokens[place + ahead] ?? last;
  const at = (text: string): boolean => isWord(peek(), text);
  const next = (): Token => {
    const token = peek();
    place += 1;
    return token;
  };
  const take = (text: string): Token | undefined => (at(text) ? next() : undefined);
  const problem = (message: string): TextProblem => syntaxProblem(peek(), message);

  const bracketed = (): Word => {
    const { offset } = next();
    const inside = next();
    if (inside.kind !== 'string') throw syntaxProblem(inside, "a name in brackets is a string, as in ['my column']");
    if (!take(']')) throw problem("the name's bracket is never closed; put ] after it");
    return { offset, text: inside.value };
  };
  return {
    peek,
    next,
    at,
    take,
    problem,
    expect(text, what) {
      const token = take(text);
      if (!token) throw problem(`${what} needs ${text} here`);
      return token;
    },
    name(what) {
      if (at('[')) return bracketed();
      if (peek().kind !== 'name' || peek().text.startsWith('!')) throw problem(`${what} is missing here`);
      const { offset, text } = next();
      return { offset, text };
    },
    within(read) {
      depth += 1;
      if (depth > MAX_DEPTH) throw problem(`there are more than ${MAX_DEPTH} brackets and queries within each other`);
      const value = read();
      depth -= 1;
      return value;
    },
  };
}

export function isWord(token: Token, text: string): boolean {
  return (token.kind === 'name' || token.kind === 'symbol') && token.text === text;
}

/** What comes between commas, one at least. */
export function readList<T>(cursor: Cursor, read: () => T): T[] {
  const items = [read()];
  while (cursor.take(',')) items.push(read());
  return items;
}
