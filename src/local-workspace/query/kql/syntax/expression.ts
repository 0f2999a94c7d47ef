import type { Word } from '../problem.ts';
import { type Cursor, isWord, readList } from './cursor.ts';
import { typedLiteral } from './literal.ts';
import type { Expression } from './tree.ts';

// What binds loosest comes first (Kusto: or, and, comparisons, + -, * / %, unary, .name [place]).

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<>', '<', '<=', '>', '>=', '=~', '!~']);
const TEXT_OPERATORS: ReadonlySet<string> = new Set(
  ['contains', 'contains_cs', 'has', 'has_cs', 'hasprefix', 'hassuffix', 'startswith', 'startswith_cs', 'endswith', 'endswith_cs'].flatMap((name) => [
    name,
    `!${name}`,
  ]),
);
const LIST_OPERATORS: ReadonlySet<string> = new Set(['in', 'in~', '!in', '!in~', 'has_any', 'has_all']);

/** An expression as far as it goes. Throws a syntax problem at the word that does not fit. */
export function readExpression(cursor: Cursor): Expression {
  return cursor.within(() => readLogic(cursor, 'or', () => readLogic(cursor, 'and', () => readComparison(cursor))));
}

function readLogic(cursor: Cursor, operator: 'and' | 'or', readOperand: () => Expression): Expression {
  const operands = [readOperand()];
  let word: Word | undefined;
  while (isWord(cursor.peek(), operator)) {
    word ??= cursor.peek();
    cursor.next();
    operands.push(readOperand());
  }
  return word ? { kind: 'logic', word: wordOf(word), operator, operands } : (operands[0] as Expression);
}

function readComparison(cursor: Cursor): Expression {
  const left = readSum(cursor);
  const token = cursor.peek();
  if (token.kind !== 'name' && token.kind !== 'symbol') return left;
  const { text } = token;
  if (COMPARISONS.has(text) || TEXT_OPERATORS.has(text)) return binary(cursor, left, () => readSum(cursor));
  if (LIST_OPERATORS.has(text)) return readMembership(cursor, left);
  if (text === 'between' || text === '!between') return readBetween(cursor, left);
  if (text !== 'matches') return left;
  cursor.next();
  cursor.expect('regex', 'matches');
  return { kind: 'binary', word: wordOf(token), operator: 'matches regex', left, right: readSum(cursor) };
}

function binary(cursor: Cursor, left: Expression, readRight: () => Expression): Expression {
  const word = wordOf(cursor.next());
  return { kind: 'binary', word, operator: word.text === '<>' ? '!=' : word.text, left, right: readRight() };
}

function readMembership(cursor: Cursor, left: Expression): Expression {
  const word = wordOf(cursor.next());
  cursor.expect('(', word.text);
  const items = readList(cursor, () => readExpression(cursor));
  close(cursor, word.text);
  return { kind: 'list', word, operator: word.text, left, items };
}

function readBetween(cursor: Cursor, left: Expression): Expression {
  const word = wordOf(cursor.next());
  cursor.expect('(', word.text);
  const low = readExpression(cursor);
  cursor.expect('..', word.text);
  const high = readExpression(cursor);
  close(cursor, word.text);
  return { kind: 'between', word, negated: word.text === '!between', left, low, high };
}

function close(cursor: Cursor, what: string): void {
  if (!cursor.take(')')) throw cursor.problem(`the bracket of ${what} is not closed before this; put ) or , here`);
}

function readSum(cursor: Cursor): Expression {
  let sum = readProduct(cursor);
  while (cursor.at('+') || cursor.at('-')) sum = binary(cursor, sum, () => readProduct(cursor));
  return sum;
}

function readProduct(cursor: Cursor): Expression {
  let product = readSigned(cursor);
  while (cursor.at('*') || cursor.at('/') || cursor.at('%')) product = binary(cursor, product, () => readSigned(cursor));
  return product;
}

function readSigned(cursor: Cursor): Expression {
  if (cursor.take('+')) return cursor.within(() => readSigned(cursor));
  const minus = cursor.take('-');
  if (!minus) return readPath(cursor);
  return { kind: 'negative', word: wordOf(minus), operand: cursor.within(() => readSigned(cursor)) };
}

function readPath(cursor: Cursor): Expression {
  let path = readPrimary(cursor);
  for (;;) {
    if (cursor.take('.')) {
      const key = cursor.name('the name after the dot');
      path = { kind: 'member', word: key, object: path, key: key.text };
    } else if (cursor.at('[')) {
      const word = wordOf(cursor.next());
      path = { kind: 'element', word, object: path, index: readExpression(cursor) };
      if (!cursor.take(']')) throw cursor.problem('the bracket [ is not closed before this; put ] here');
    } else {
      return path;
    }
  }
}

function readPrimary(cursor: Cursor): Expression {
  const token = cursor.peek();
  const word = wordOf(token);
  switch (token.kind) {
    case 'number':
      cursor.next();
      return { kind: 'literal', word, type: token.type, value: token.value };
    case 'timespan':
      cursor.next();
      return { kind: 'literal', word, type: 'timespan', value: token.value };
    case 'typed':
      cursor.next();
      return typedLiteral(token);
    case 'string':
      return { kind: 'literal', word, type: 'string', value: readStrings(cursor) };
    case 'end':
      throw cursor.problem('the query ends where a value should follow');
    case 'name':
    case 'symbol':
      return readWord(cursor, word);
  }
}

// Strings side by side are one, as in C.
function readStrings(cursor: Cursor): string {
  let value = '';
  for (let token = cursor.peek(); token.kind === 'string'; token = cursor.peek()) {
    value += token.value;
    cursor.next();
  }
  return value;
}

const NOT_VALUES: ReadonlySet<string> = new Set([
  'and',
  'or',
  'by',
  'on',
  'asc',
  'desc',
  'between',
  'matches',
  'contains',
  'has',
  'in',
  'in~',
  'startswith',
  'endswith',
]);
const TRUTH: Readonly<Record<string, number>> = { true: 1, false: 0, True: 1, False: 0, TRUE: 1, FALSE: 0 };

function readWord(cursor: Cursor, word: Word): Expression {
  if (cursor.take('(')) {
    const inside = readExpression(cursor);
    close(cursor, '(');
    return inside;
  }
  if (cursor.take('*')) return { kind: 'star', word };
  if (NOT_VALUES.has(word.text) && !isWord(cursor.peek(1), '(')) throw cursor.problem('a value should stand here: a column, a literal or a function');
  const name = cursor.name('a value: a column, a literal or a function');
  const truth = Object.hasOwn(TRUTH, name.text) ? TRUTH[name.text] : undefined;
  if (truth !== undefined) return { kind: 'literal', word, type: 'bool', value: truth };
  return cursor.at('(') ? readCall(cursor, name) : { kind: 'name', word: name, name: name.text };
}

function readCall(cursor: Cursor, name: Word): Expression {
  cursor.next();
  const args = cursor.at(')') ? [] : readList(cursor, () => readExpression(cursor));
  close(cursor, `${name.text}(`);
  return { kind: 'call', word: name, name: name.text, args };
}

function wordOf({ offset, text }: Word): Word {
  return { offset, text };
}
