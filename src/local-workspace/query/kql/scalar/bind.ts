import { nearest } from '../../../../nearest.ts';
import { AGGREGATE_NAMES } from '../aggregates/names.ts';
import { SCALAR_FUNCTIONS } from '../functions/functions.ts';
import { semanticProblem } from '../problem.ts';
import type { Expression } from '../syntax/tree.ts';
import { isTextType } from '../values/cell.ts';
import { bindArithmetic, bindNegative } from './arithmetic.ts';
import { asText, bindComparison, bindSameText } from './comparison.ts';
import { lift } from './lift.ts';
import { asCondition, bindLogic, bindNot } from './logic.ts';
import { bindElement, bindMember } from './member.ts';
import { bindMembership } from './membership.ts';
import { createRegex } from './regex.ts';
import { columnScalar, constantScalar, type Scalar } from './scalar.ts';
import type { Scope } from './scope.ts';
import { textTest } from './text-match.ts';

/** Gives an expression's names and operators their meaning. Throws a semantic problem at the word that has none, or does not fit. */
export function bind(expression: Expression, scope: Scope): Scalar {
  return scope.instead?.(expression) ?? bindPlain(expression, scope);
}

function bindPlain(expression: Expression, scope: Scope): Scalar {
  switch (expression.kind) {
    case 'literal':
      return constantScalar(expression.type, expression.value);
    case 'name':
      return bindName(expression, scope);
    case 'star':
      throw semanticProblem(expression.word, `'${scope.operator}' operator: * cannot stand for a value here.`);
    case 'member':
      return bindMember(expression.word, bind(expression.object, scope), expression.key);
    case 'element':
      return bindElement(expression.word, bind(expression.object, scope), bind(expression.index, scope));
    case 'call':
      return bindCall(expression, scope);
    case 'negative':
      return bindNegative(expression.word, bind(expression.operand, scope));
    case 'binary':
      return bindBinary(expression, scope);
    case 'logic':
      return bindLogic(
        expression.operator,
        expression.operands.map((operand) => asCondition(operand.word, `The operator ${expression.operator}`, bind(operand, scope))),
      );
    case 'list':
      return bindMembership(
        expression.word,
        expression.operator,
        bind(expression.left, scope),
        expression.items.map((item) => bind(item, scope)),
      );
    case 'between':
      return bindBetween(expression, scope);
  }
}

function bindName({ word, name }: Expression & { kind: 'name' }, scope: Scope): Scalar {
  const place = scope.columns.findIndex((column) => column.name === name);
  const column = scope.columns[place];
  if (column) return columnScalar(column.type, place);
  const known = scope.lets.get(name);
  if (known) return known;
  const names = [...scope.columns.map((one) => one.name), ...scope.lets.keys()];
  throw semanticProblem(word, `'${scope.operator}' operator: Failed to resolve column or scalar expression named '${name}'.${hint(name, names)}`, 'SEM0100');
}

/** "Did you mean …?", or nothing when no name is near. */
export function hint(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? '' : ` Did you mean '${meant}'?`;
}

function bindCall({ word, name, args }: Expression & { kind: 'call' }, scope: Scope): Scalar {
  const called = SCALAR_FUNCTIONS.get(name);
  if (!called) throw unknownFunction(word, name, scope);
  const [least, most] = called.arity;
  if (args.length < least || args.length > most) {
    const needs = least === most ? `${least}` : `${least} to ${most}`;
    throw semanticProblem(word, `${name}(): function expects ${needs} argument(s), but has ${args.length}.`, 'SEM0219');
  }
  return called.bind({ word, args: args.map((arg) => bind(arg, scope)), now: scope.now, columns: scope.columns });
}

function unknownFunction(word: Expression['word'], name: string, { operator }: Scope): Error {
  if (AGGREGATE_NAMES.has(name)) return semanticProblem(word, `'${operator}' operator: the aggregate ${name}() is allowed in summarize only.`, 'SEM0108');
  return semanticProblem(word, `Unknown function: '${name}'.${hint(name, [...SCALAR_FUNCTIONS.keys(), ...AGGREGATE_NAMES])}`, 'SEM0260');
}

function bindBinary({ word, operator, left, right }: Expression & { kind: 'binary' }, scope: Scope): Scalar {
  const [a, b] = [bind(left, scope), bind(right, scope)];
  switch (operator) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return bindArithmetic(word, a, b);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return bindComparison(word, operator, a, b);
    case '=~':
    case '!~':
      return bindSameText(word, operator, a, b);
    case 'matches regex':
      return bindRegex(right, asText(word, a), b);
    default:
      return bindTextMatch(operator, asText(word, a), asText(word, b));
  }
}

function bindTextMatch(operator: string, text: Scalar, needle: Scalar): Scalar {
  const constant = needle.constant;
  if (!constant) return lift('bool', [text, needle], (a, b) => Number(textTest(operator, b as string)(a as string)), 'seen');
  const test = textTest(operator, constant.value as string);
  return lift('bool', [text], (cell) => Number(test(cell as string)), 'seen');
}

function bindRegex({ word }: Expression, text: Scalar, pattern: Scalar): Scalar {
  const constant = pattern.constant;
  if (!constant || pattern.type !== 'string') throw semanticProblem(word, 'matches regex needs a regular expression that is the same for every row.');
  const regex = createRegex(word, constant.value as string);
  return lift('bool', [text], (cell) => Number(regex.test(cell as string)), 'seen');
}

function bindBetween({ word, negated, left, low, high }: Expression & { kind: 'between' }, scope: Scope): Scalar {
  const [value, from, to] = [bind(left, scope), bind(low, scope), bind(high, scope)];
  if (isTextType(value.type) && value.type !== 'dynamic')
    throw semanticProblem(word, `The operator ${word.text} needs a number or a time, but this is a ${value.type}.`);
  // A time and a span of time say where it begins and how long it is.
  const end = value.type === 'datetime' && from.type === 'datetime' && to.type === 'timespan' ? bindArithmetic({ ...word, text: '+' }, from, to) : to;
  const [above, below] = [bindComparison(word, '>=', value, from), bindComparison(word, '<=', value, end)];
  const inside = bindLogic('and', [above, below]);
  if (negated) return bindNot(inside);
  const range = { from: above.within?.range.from, to: below.within?.range.to };
  return above.within && below.within ? { ...inside, within: { column: above.within.column, range } } : inside;
}
