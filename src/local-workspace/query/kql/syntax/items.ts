import type { Word } from '../problem.ts';
import { type Cursor, isWord, readList } from './cursor.ts';
import { checkDepth } from './depth.ts';
import { readExpression } from './expression.ts';
import type { Expression, Named, NamePattern, SortKey } from './tree.ts';

/** What operators have in common: expressions with names, keys of an order, patterns of names. */

/** One expression of an operator, not too deep. */
export function readValue(cursor: Cursor): Expression {
  return checkDepth(readExpression(cursor));
}

/** `expression`, `name = expression` or `(name, name) = expression`. */
function readNamed(cursor: Cursor): Named {
  const names = readNames(cursor);
  return { names, expression: readValue(cursor) };
}

function readNames(cursor: Cursor): Word[] {
  if (cursor.at('[') && isWord(cursor.peek(2), ']') && isWord(cursor.peek(3), '=')) return oneName(cursor);
  if (cursor.peek().kind === 'name' && isWord(cursor.peek(1), '=')) return oneName(cursor);
  return isTuple(cursor) ? tupleOfNames(cursor) : [];
}

function oneName(cursor: Cursor): Word[] {
  const name = cursor.name('the name before =');
  cursor.next();
  return [name];
}

// `(a, b) =` begins like an expression in brackets: only the = after the bracket tells.
function isTuple(cursor: Cursor): boolean {
  if (!cursor.at('(')) return false;
  let ahead = 1;
  while (cursor.peek(ahead).kind === 'name' || isWord(cursor.peek(ahead), ',')) ahead += 1;
  return isWord(cursor.peek(ahead), ')') && isWord(cursor.peek(ahead + 1), '=');
}

function tupleOfNames(cursor: Cursor): Word[] {
  cursor.next();
  const names = readList(cursor, () => cursor.name('a name between the brackets'));
  cursor.expect(')', 'the list of names');
  cursor.next();
  return names;
}

export function readNamedList(cursor: Cursor): Named[] {
  return readList(cursor, () => readNamed(cursor));
}

/** `expression [asc|desc] [nulls first|last]`: descending unless told; nulls are the least value unless told. */
export function readSortKey(cursor: Cursor): SortKey {
  const expression = readValue(cursor);
  const ascending = cursor.take('asc') !== undefined;
  if (!ascending) cursor.take('desc');
  return { expression, descending: !ascending, nullsFirst: readNulls(cursor) ?? ascending };
}

function readNulls(cursor: Cursor): boolean | undefined {
  if (!cursor.take('nulls')) return undefined;
  if (cursor.take('first')) return true;
  cursor.expect('last', 'nulls (first or last)');
  return false;
}

/** A name in which `*` stands for any letters: `x`, `x*`, `*`. The parts stand side by side in the text. */
export function readPattern(cursor: Cursor): NamePattern {
  const { offset } = cursor.peek();
  if (!isPatternPart(cursor)) {
    const name = cursor.name('a name');
    return { word: name, pattern: name.text };
  }
  let pattern = '';
  for (let end = offset; isPatternPart(cursor) && cursor.peek().offset === end; end = cursor.next().end) pattern += cursor.peek().text;
  return { word: { offset, text: pattern }, pattern };
}

function isPatternPart(cursor: Cursor): boolean {
  const { kind, text } = cursor.peek();
  return (kind === 'name' && !text.startsWith('!')) || text === '*';
}
