import { semanticProblem, type Word } from '../problem.ts';
import { type Cell, isNull } from '../values/cell.ts';
import { elementsOf } from '../values/convert.ts';
import { asText, bindComparison, bindSameText, comparable } from './comparison.ts';
import { lift } from './lift.ts';
import { bindLogic, bindNot } from './logic.ts';
import { nameWithoutNot } from './negation.ts';
import { constantScalar, type Scalar } from './scalar.ts';
import { textTest } from './text-match.ts';

/** `in`, `!in`, `in~`, `!in~`, `has_any`, `has_all`: one value and a list of values, or of dynamic arrays. */
export function bindMembership(word: Word, operator: string, left: Scalar, items: readonly Scalar[]): Scalar {
  if (operator === 'has_any' || operator === 'has_all') return bindTerms(word, operator, asText(word, left), spread(items, asText(word, left)));
  const found = bindIn(word, nameWithoutNot(operator) === 'in~', left, spread(items, left));
  return operator.startsWith('!') ? bindNot(found) : found;
}

// An array stands for its elements.
function spread(items: readonly Scalar[], left: Scalar): readonly Scalar[] {
  return items.flatMap((item) => {
    const elements = item.type === 'dynamic' && item.constant ? elementsOf(item.constant.value as string | null, left.type) : undefined;
    return elements?.map((element) => constantScalar(left.type, element)) ?? [item];
  });
}

function bindIn(word: Word, anyCase: boolean, left: Scalar, items: readonly Scalar[]): Scalar {
  if (items.length === 0) return lift('bool', [left], () => 0, 'seen');
  const pairs = items.map((item) => (anyCase ? ([asText(word, left), asText(word, item)] as const) : comparable(word, left, item)));
  const [value] = pairs[0] as readonly [Scalar, Scalar];
  if (pairs.some(([a, b]) => !b.constant || a.type !== value.type)) return bindEach(word, anyCase, left, items);
  const lower = (cell: Cell): Cell => (anyCase ? (cell as string).toLowerCase() : cell);
  const values = pairs.map(([, item]) => item.constant?.value ?? null);
  const wanted = new Set(values.filter((cell) => !isNull(cell)).map(lower));
  return lift('bool', [value], (cell) => Number(wanted.has(lower(cell as Cell))), 'seen');
}

function bindEach(word: Word, anyCase: boolean, left: Scalar, items: readonly Scalar[]): Scalar {
  const tests = items.map((item) => (anyCase ? bindSameText(word, '=~', left, item) : bindComparison(word, '==', left, item)));
  return bindLogic('or', tests);
}

function bindTerms(word: Word, operator: 'has_any' | 'has_all', text: Scalar, items: readonly Scalar[]): Scalar {
  const tests = items.map((item) => {
    const term = asText(word, item).constant?.value;
    if (typeof term !== 'string') throw semanticProblem(word, `${operator} needs a list of texts that are the same for every row.`);
    return textTest('has', term);
  });
  const holds = operator === 'has_any' ? (cell: string) => tests.some((test) => test(cell)) : (cell: string) => tests.every((test) => test(cell));
  return lift('bool', [text], (cell) => Number(holds(cell as string)), 'seen');
}
