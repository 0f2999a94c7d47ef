import type { Column } from '../../../tables/column.ts';
import type { Projection } from '../operators/project.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { bind, hint } from '../scalar/bind.ts';
import { createNames, derivedName } from '../scalar/name.ts';
import { columnScalar } from '../scalar/scalar.ts';
import type { Scope } from '../scalar/scope.ts';
import type { Named, NamePattern, Operator } from '../syntax/tree.ts';

/** Which columns `project` makes. */
export function bindProject(items: readonly Named[], scope: Scope): Projection[] {
  const names = createNames();
  return items.map((item) => {
    const scalar = bind(item.expression, scope);
    const word = ownName(item, scope);
    if (word) return { name: declared(word, names, scope), scalar };
    const name = item.expression.kind === 'name' ? declared(item.expression.word, names, scope) : derivedName(item.expression);
    return { name: item.expression.kind === 'name' ? (name as string) : name === undefined ? names.numbered() : names.unique(name), scalar };
  });
}

/** The rows' own columns and those that `extend` makes, each in the place of one of its name. */
export function bindExtend(items: readonly Named[], scope: Scope): Projection[] {
  const projections: Projection[] = kept(scope.columns);
  const names = createNames();
  for (const { name } of scope.columns) names.take(name);
  const made = createNames();
  for (const item of items) {
    const scalar = bind(item.expression, scope);
    const word = ownName(item, scope);
    const name = word ? declared(word, made, scope) : (derivedName(item.expression) ?? names.numbered());
    const place = projections.findIndex((one) => one.name === name);
    if (place >= 0) projections[place] = { name, scalar };
    else projections.push({ name, scalar });
    names.take(name);
  }
  return projections;
}

/** One name at most: several are for aggregates of several results. */
export function ownName({ names }: Named, { operator }: Scope): Word | undefined {
  const [first, second] = names;
  if (second) throw semanticProblem(second, `'${operator}' operator: one value has one name.`);
  return first;
}

function declared(word: Word, names: ReturnType<typeof createNames>, { operator }: Scope): string {
  if (names.taken(word.text)) throw semanticProblem(word, `'${operator}' operator: A column with the name '${word.text}' is already declared.`);
  names.take(word.text);
  return word.text;
}

/** The columns as they are. */
export function kept(columns: readonly Column[]): Projection[] {
  return columns.map(({ name, type }, place) => ({ name, scalar: columnScalar(type, place) }));
}

/** `project-away`: all columns but those named. `project-keep`: those alone, in their own order. */
export function bindSelection({ kind, patterns }: Operator & { kind: 'project-away' | 'project-keep' }, columns: readonly Column[]): Projection[] {
  const tests = patterns.map((pattern) => testOf(pattern, kind, columns));
  return kept(columns).filter(({ name }) => tests.some((test) => test(name)) === (kind === 'project-keep'));
}

function testOf({ word, pattern }: NamePattern, operator: string, columns: readonly Column[]): (name: string) => boolean {
  if (pattern.includes('*')) return matchPattern(pattern);
  columnPlace(word, operator, columns);
  return (name) => name === pattern;
}

/** Whether a name fits a pattern in which `*` stands for any letters. */
export function matchPattern(pattern: string): (name: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  return (name) => {
    if (last === undefined) return name === first;
    if (!name.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}

/** Where a column stands. A semantic problem when there is none of the name. */
export function columnPlace(word: Word, operator: string, columns: readonly Column[]): number {
  const place = columns.findIndex(({ name }) => name === word.text);
  if (place >= 0) return place;
  const names = columns.map(({ name }) => name);
  throw semanticProblem(
    word,
    `'${operator}' operator: Failed to resolve column or scalar expression named '${word.text}'.${hint(word.text, names)}`,
    'SEM0100',
  );
}

/** `project-rename`: columns keep their places. */
export function bindRename({ pairs, kind }: Operator & { kind: 'project-rename' }, columns: readonly Column[]): Projection[] {
  const names = new Map(pairs.map(({ to, from }) => [columnPlace(from, kind, columns), to]));
  const projections = kept(columns).map((one, place) => ({ ...one, name: names.get(place)?.text ?? one.name }));
  for (const { to } of pairs) {
    if (projections.filter(({ name }) => name === to.text).length > 1) {
      throw semanticProblem(to, `'${kind}' operator: A column with the name '${to.text}' is already declared.`);
    }
  }
  return projections;
}
