import { nearest } from '../../../../nearest.ts';
import { semanticProblem, syntaxProblem, type Word } from '../problem.ts';
import { type Cursor, isWord, readList } from './cursor.ts';
import { JOIN_KINDS, type JoinCondition, type JoinKind, type Operator, type Source } from './tree.ts';

/** `join [kind=…] (right) on Column, $left.A == $right.B`. Hints (`hint.strategy=shuffle`) are read and mean nothing here. */
export function readJoin(cursor: Cursor, word: Word, readSource: () => Source): Operator {
  const flavour = readFlavour(cursor);
  const right = readSource();
  cursor.expect('on', 'join');
  return { kind: 'join', word, flavour, right, conditions: readList(cursor, () => readCondition(cursor)) };
}

function readFlavour(cursor: Cursor): JoinKind {
  let flavour: JoinKind = 'innerunique';
  for (;;) {
    if (cursor.at('hint') && isWord(cursor.peek(1), '.')) skipHint(cursor);
    else if (cursor.at('kind') && isWord(cursor.peek(1), '=')) flavour = readKind(cursor);
    else return flavour;
  }
}

function readKind(cursor: Cursor): JoinKind {
  cursor.next();
  cursor.next();
  const { offset, text } = cursor.next();
  const kind = JOIN_KINDS.find((known) => known === text);
  if (kind) return kind;
  const meant = nearest(text, JOIN_KINDS);
  throw syntaxProblem({ offset, text }, `there is no join of the kind ${text}; ${meant ? `did you mean ${meant}?` : `there is ${JOIN_KINDS.join(', ')}`}`);
}

function skipHint(cursor: Cursor): void {
  for (let word = 0; word < 3; word += 1) cursor.next();
  cursor.expect('=', 'hint');
  cursor.next();
}

function readCondition(cursor: Cursor): JoinCondition {
  const first = readSide(cursor);
  if (!cursor.at('==') && !cursor.at('=')) {
    if (first.side !== undefined) throw cursor.problem(`a condition of join with ${first.side} needs == and the other side`);
    return { word: first.name, left: first.name, right: first.name };
  }
  const { offset, text } = cursor.next();
  if (text !== '==') throw syntaxProblem({ offset, text }, 'columns of a join are compared with ==');
  const second = readSide(cursor);
  const sides = [first, second];
  const left = sides.find(({ side }) => side === '$left')?.name;
  const right = sides.find(({ side }) => side === '$right')?.name;
  if (!left || !right) throw semanticProblem(first.name, 'join: a condition with == compares $left.Column with $right.Column.');
  return { word: first.name, left, right };
}

function readSide(cursor: Cursor): { side: string | undefined; name: Word } {
  const name = cursor.name('the name of a column to join on');
  if (!name.text.startsWith('$')) return { side: undefined, name };
  if (name.text !== '$left' && name.text !== '$right') throw syntaxProblem(name, `there is no side ${name.text} of a join; there is $left and $right`);
  cursor.expect('.', name.text);
  return { side: name.text, name: cursor.name(`the column after ${name.text}.`) };
}
