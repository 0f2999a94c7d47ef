import { semanticProblem, type Word } from '../problem.ts';
import { type Cell, isNull, isNumeric } from '../values/cell.ts';
import { memberOf } from '../values/dynamic.ts';
import { lift } from './lift.ts';
import type { Scalar } from './scalar.ts';

/** `object.key` of a dynamic value; null where there is none. */
export function bindMember(word: Word, object: Scalar, key: string): Scalar {
  needDynamic(word, object);
  return lift('dynamic', [object], (text) => memberOf(text as string | null, key), 'seen');
}

/** `object['key']`, `object[0]`; places from the end are below 0. */
export function bindElement(word: Word, object: Scalar, index: Scalar): Scalar {
  needDynamic(word, object);
  if (index.type === 'string') return lift('dynamic', [object, index], (text, key) => memberOf(text as string | null, key as string), 'seen');
  if (!isNumeric(index.type)) throw semanticProblem(word, `An element of a dynamic value has a name or a number, but this is a ${index.type}.`);
  return lift('dynamic', [object, index], (text, place) => (isNull(place as Cell) ? null : memberOf(text as string | null, place as number)), 'seen');
}

function needDynamic(word: Word, object: Scalar): void {
  if (object.type === 'dynamic') return;
  throw semanticProblem(word, `Only a dynamic value has something inside, but this is a ${object.type}. Try parse_json() around it.`);
}
