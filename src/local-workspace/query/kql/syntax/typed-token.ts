import type { ColumnType } from '../../../tables/column.ts';
import { syntaxProblem } from '../problem.ts';
import { isStringStart, readString } from './string-token.ts';
import type { Token } from './token.ts';

const BRACKETS: Readonly<Record<string, number>> = { '(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1 };

/** `datetime(…)`, `dynamic(…)` and their like: what is between the brackets is the literal's own language. `open` is where the bracket stands. */
export function readTyped(text: string, at: number, open: number, type: ColumnType): Token {
  let depth = 0;
  let place = open;
  while (place < text.length) {
    if (type === 'dynamic' && isStringStart(text, place)) {
      place = readString(text, place).end;
      continue;
    }
    depth += type === 'dynamic' || place === open || text[place] === ')' ? (BRACKETS[text[place] ?? ''] ?? 0) : 0;
    place += 1;
    if (depth === 0) return { kind: 'typed', offset: at, end: place, text: text.slice(at, place), type, raw: text.slice(open + 1, place - 1).trim() };
  }
  const word = text.slice(at, open + 1);
  throw syntaxProblem({ offset: at, text: word }, `the bracket of ${word} is never closed; put ) after the value`);
}
