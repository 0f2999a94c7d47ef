import { SCALAR_FUNCTIONS } from '../functions/functions.ts';
import type { Expression } from '../syntax/tree.ts';

/** What an unnamed expression's column is called, when its text gives a name: `d.a[0]` is `d_a_0`, `toint(n)` is `n`. Else it is numbered. */
export function derivedName(expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'name':
      return expression.name;
    case 'member':
      return joined(expression.object, expression.key);
    case 'element': {
      const { index } = expression;
      return index.kind === 'literal' ? joined(expression.object, String(index.value)) : undefined;
    }
    case 'call':
      return callName(expression.name, expression.args[0]);
    default:
      return undefined;
  }
}

function joined(object: Expression, key: string): string | undefined {
  const name = derivedName(object);
  return name === undefined ? undefined : `${name}_${key}`;
}

function callName(name: string, first: Expression | undefined): string | undefined {
  if (name === 'ingestion_time') return '$IngestionTime';
  if (first === undefined) return undefined;
  const prefix = Object.hasOwn(PREFIXED, name) ? PREFIXED[name] : undefined;
  if (prefix !== undefined) return prefixed(prefix, derivedName(first));
  return SCALAR_FUNCTIONS.get(name)?.namedAfterFirst ? derivedName(first) : undefined;
}

// Kusto's own names for what these make.
const PREFIXED: Readonly<Record<string, string>> = { gettype: 'type_', strlen: 'strlen_' };

function prefixed(prefix: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : `${prefix}${name}`;
}

/** Gives columns names that no other has: `n`, `n1`, `n2`. */
export function createNames(): { unique(name: string): string; numbered(): string; taken(name: string): boolean; take(name: string): void } {
  const names = new Set<string>();
  let unnamed = 0;
  const unique = (name: string): string => {
    let candidate = name;
    for (let number = 1; names.has(candidate); number += 1) candidate = `${name}${number}`;
    names.add(candidate);
    return candidate;
  };
  return {
    unique,
    numbered() {
      unnamed += 1;
      return unique(`Column${unnamed}`);
    },
    taken: (name) => names.has(name),
    take: (name) => names.add(name),
  };
}
