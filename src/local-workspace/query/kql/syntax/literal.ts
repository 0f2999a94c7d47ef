import type { ColumnType } from '../../../tables/column.ts';
import { syntaxProblem, type Word } from '../problem.ts';
import { type Cell, nullOf } from '../values/cell.ts';
import { convert } from '../values/convert.ts';
import { parseDatetime } from '../values/datetime.ts';
import { readDynamic, writeDynamic } from '../values/dynamic.ts';
import { parseGuid } from '../values/guid.ts';
import { parseTimespan } from '../values/timespan.ts';
import { readTokens } from './lexer.ts';
import type { Token } from './token.ts';
import type { Expression } from './tree.ts';

const REALS: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  '+inf': Number.POSITIVE_INFINITY,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};
const WHOLE = /^[+-]?(?:\d+|0[xX][0-9a-fA-F]+)$/;
const NUMBER = /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/;

const EXAMPLES: Readonly<Record<ColumnType, string>> = {
  string: "'text'",
  int: 'int(5)',
  long: 'long(5)',
  real: 'real(1.5)',
  bool: 'bool(true)',
  datetime: 'datetime(2026-11-29 10:00)',
  timespan: 'timespan(1.02:03:04)',
  guid: 'guid(74be27de-1e4e-49d9-b579-fe0b331d3642)',
  dynamic: 'dynamic({"a": 1})',
};

/** `int(5)`, `datetime(2026-11-29)` and their like, and the null of a type: `int(null)`. */
export function typedLiteral(token: Token & { kind: 'typed' }): Expression {
  const { type, raw } = token;
  const word: Word = { offset: token.offset, text: token.text };
  if (raw === 'null') return { kind: 'literal', word, type, value: nullOf(type) };
  const value = type === 'dynamic' ? dynamicOf(raw) : readValueOf(raw, type);
  if (value === undefined) throw syntaxProblem(word, `${raw === '' ? 'nothing' : raw} is no ${type}; write for example ${EXAMPLES[type]}`);
  return { kind: 'literal', word, type, value };
}

function readValueOf(raw: string, type: ColumnType): Cell | undefined {
  const text = /^(["']).*\1$/s.test(raw) ? raw.slice(1, -1) : raw;
  switch (type) {
    case 'datetime':
      return known(parseDatetime(text));
    case 'timespan':
      return known(parseTimespan(text));
    case 'guid':
      return parseGuid(text) ?? undefined;
    case 'bool':
      return known(convert(text, 'string', 'bool') as number);
    case 'real':
      return Object.hasOwn(REALS, text) ? REALS[text] : NUMBER.test(text) ? Number(text) : undefined;
    default:
      return WHOLE.test(text) ? known(convert(text.replace(/^\+/, ''), 'string', type) as number) : undefined;
  }
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

// JSON, in which a string may also be written as Kusto's strings are.
function dynamicOf(raw: string): Cell | undefined {
  const json = readTokens(raw).map((token) => (token.kind === 'string' ? JSON.stringify(token.value) : token.text));
  const value = readDynamic(raw) ?? readDynamic(json.join(''));
  return value === undefined ? undefined : writeDynamic(value);
}
