import { MAX_OPERATORS } from '../limits.ts';
import type { Word } from '../problem.ts';
import { type Cursor, createCursor, isWord } from './cursor.ts';
import { readNamedList, readPattern, readValue } from './items.ts';
import { readTokens } from './lexer.ts';
import { OPERATOR_NAMES, readOperator } from './operator.ts';
import type { Let, Operator, Pipeline, Query, Source } from './tree.ts';
import { readUnion } from './union.ts';
import { UNSUPPORTED_BEGINNINGS } from './unsupported.ts';

/** Reads a query's text: any number of `let` statements, then one pipeline. Throws a syntax problem where it is none. */
export function readQuery(text: string): Query {
  const cursor = createCursor(readTokens(text));
  const lets: Let[] = [];
  while (cursor.at('let')) lets.push(readLet(cursor));
  if (cursor.peek().kind === 'end')
    throw cursor.problem(lets.length === 0 ? 'the query is empty; begin with the name of a table' : 'after let a query must follow');
  const pipeline = readPipeline(cursor);
  while (cursor.take(';'));
  if (cursor.peek().kind !== 'end') throw leftOver(cursor);
  return { lets, pipeline };
}

function leftOver(cursor: Cursor): Error {
  const { text } = cursor.peek();
  if (isWord(cursor.peek(-1), ';')) return cursor.problem('only one query is answered at a time; only let statements may come before it');
  return OPERATOR_NAMES.includes(text)
    ? cursor.problem(`${text} needs a pipe before it: | ${text}`)
    : cursor.problem(`${text} does not belong here; an operator begins with a pipe`);
}

function readLet(cursor: Cursor): Let {
  cursor.next();
  const name = cursor.name('the name after let');
  cursor.expect('=', 'let');
  const statement: Let = beginsTabular(cursor)
    ? { kind: 'tabular', name, pipeline: readPipeline(cursor) }
    : { kind: 'scalar', name, expression: readValue(cursor) };
  cursor.expect(';', 'let');
  return statement;
}

// A table's name, alone or piped, is tabular only if it is no scalar: the binder looks at a lone name again.
function beginsTabular(cursor: Cursor): boolean {
  const token = cursor.peek();
  if (token.kind !== 'name') return isWord(token, '(') && !isScalarInBrackets(cursor);
  return token.text === 'union' || token.text === 'print' || isWord(cursor.peek(1), '|') || isWord(cursor.peek(1), ';');
}

// `(T | where …)` against `(1 + 2)`: a pipe before the bracket closes.
function isScalarInBrackets(cursor: Cursor): boolean {
  let depth = 0;
  for (let ahead = 0; cursor.peek(ahead).kind !== 'end'; ahead += 1) {
    const token = cursor.peek(ahead);
    if (isWord(token, '|')) return false;
    depth += isWord(token, '(') ? 1 : isWord(token, ')') ? -1 : 0;
    if (depth === 0) return !isWord(cursor.peek(ahead + 1), '|');
  }
  return true;
}

/** A source and its operators. Queries within queries count as brackets. */
function readPipeline(cursor: Cursor): Pipeline {
  return cursor.within(() => {
    const source = readSource(cursor);
    const operators: Operator[] = [];
    while (cursor.take('|')) {
      operators.push(readOperator(cursor, () => readBranch(cursor)));
      if (operators.length > MAX_OPERATORS) throw cursor.problem(`a query has at most ${MAX_OPERATORS} operators`);
    }
    return { source, operators };
  });
}

function readSource(cursor: Cursor): Source {
  const word = wordOf(cursor.peek());
  if (UNSUPPORTED_BEGINNINGS.has(word.text) && !['|', ';', ')', ''].includes(cursor.peek(1).text)) {
    throw cursor.problem(`${word.text} of Kusto is not supported here; begin with a table, union or print`);
  }
  if (cursor.at('union') && !isWord(cursor.peek(1), '|')) {
    cursor.next();
    return { kind: 'union', word, union: readUnion(cursor, word, () => readBranch(cursor)) };
  }
  if (cursor.take('print')) return { kind: 'print', word, items: readNamedList(cursor) };
  return readBranch(cursor);
}

// A table, tables by a pattern (in union), or a query in brackets.
function readBranch(cursor: Cursor): Source {
  const word = wordOf(cursor.peek());
  if (cursor.take('(')) {
    const pipeline = readPipeline(cursor);
    cursor.expect(')', 'a query in brackets');
    return { kind: 'pipeline', word, pipeline };
  }
  if (cursor.peek().kind !== 'name' && !cursor.at('*') && !cursor.at('[')) throw cursor.problem('the name of a table should stand here');
  const { pattern, word: name } = readPattern(cursor);
  return pattern.includes('*') ? { kind: 'tables', word: name, pattern } : { kind: 'table', word: name, name: pattern };
}

function wordOf({ offset, text }: Word): Word {
  return { offset, text };
}
