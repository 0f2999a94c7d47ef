import { syntaxProblem, type Word } from '../problem.ts';
import { type Cursor, isWord, readList } from './cursor.ts';
import type { Source, Union } from './tree.ts';

/** `union [kind=inner|outer] [withsource=Column] [isfuzzy=…] T1, (T2 | …), T*`. Tables that fit no pattern are no error, so isfuzzy changes nothing. */
export function readUnion(cursor: Cursor, word: Word, readSource: () => Source): Union {
  let kind: Union['kind'] = 'outer';
  let withSource: Word | undefined;
  while (cursor.peek().kind === 'name' && isWord(cursor.peek(1), '=')) {
    const parameter = cursor.next();
    cursor.next();
    if (parameter.text === 'kind') kind = readKind(cursor);
    else if (parameter.text === 'withsource') withSource = cursor.name('the name of the column that tells the table');
    else if (parameter.text === 'isfuzzy') cursor.next();
    else throw syntaxProblem(parameter, `union has no parameter ${parameter.text}; there is kind, withsource and isfuzzy`);
  }
  return { word, kind, withSource, branches: readList(cursor, readSource) };
}

function readKind(cursor: Cursor): Union['kind'] {
  const { offset, text } = cursor.next();
  if (text === 'inner' || text === 'outer') return text;
  throw syntaxProblem({ offset, text }, `there is no union of the kind ${text}; there is inner and outer`);
}
