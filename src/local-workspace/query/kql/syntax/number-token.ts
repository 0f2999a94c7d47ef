import { syntaxProblem } from '../problem.ts';
import { unitMs } from '../values/timespan.ts';
import type { Token } from './token.ts';

const HEXADECIMAL = /0[xX][0-9a-fA-F]+/y;
// The dots of `1..5` are no part of the number.
const DECIMAL = /\d+(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?/y;
const REST = /[A-Za-z0-9_]*/y;

/** A number, or a span of time such as `5m`. `at` is at a digit. */
export function readNumber(text: string, at: number): Token {
  const hexadecimal = matchAt(HEXADECIMAL, text, at);
  const digits = hexadecimal ?? matchAt(DECIMAL, text, at) ?? '';
  const unit = matchAt(REST, text, at + digits.length) ?? '';
  const word = { offset: at, text: digits + unit };
  const end = at + word.text.length;
  if (unit === '') {
    const type = hexadecimal === undefined && /[.eE]/.test(digits) ? 'real' : 'long';
    return { kind: 'number', ...word, end, type, value: Number(digits) };
  }
  const ms = unitMs(unit);
  if (ms === undefined || hexadecimal !== undefined) throw syntaxProblem(word, `${word.text} is neither a number nor a span of time such as 5m`);
  return { kind: 'timespan', ...word, end, value: Number(digits) * ms };
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
