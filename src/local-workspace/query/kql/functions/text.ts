import { hash } from 'node:crypto';
import { lift } from '../scalar/lift.ts';
import { createRegex, type Regex } from '../scalar/regex.ts';
import type { Scalar } from '../scalar/scalar.ts';
import type { Cell } from '../values/cell.ts';
import { toText } from '../values/convert.ts';
import { writeDynamic } from '../values/dynamic.ts';
import { checkedText } from '../vectors/vector-builder.ts';
import { coerce, constantOf, define, type ScalarFunction } from './function.ts';

/** Functions of texts (Kusto, "Scalar functions", string functions). Places count from 0, in UTF-16 units. */
export const TEXT_FUNCTIONS: readonly ScalarFunction[] = [
  define('tolower', { takes: ['text'], gives: 'string' }, (text) => (text as string).toLowerCase()),
  define('toupper', { takes: ['text'], gives: 'string' }, (text) => (text as string).toUpperCase()),
  define('reverse', { takes: ['text'], gives: 'string' }, (text) => [...(text as string)].reverse().join('')),
  define('hash_sha256', { takes: ['text'], gives: 'string' }, (text) => hash('sha256', text as string)),
  define('substring', { takes: ['text', 'number', 'number'], optional: 1, gives: 'string' }, (text, start, length = Number.POSITIVE_INFINITY) =>
    substring(text as string, start as number, length as number),
  ),
  define('indexof', { takes: ['text', 'text', 'number', 'number', 'number'], optional: 3, gives: 'long' }, (text, wanted, start, length, occurrence) =>
    indexOf(text as string, wanted as string, start as number | undefined, length as number | undefined, occurrence as number | undefined),
  ),
  define('split', { takes: ['text', 'text', 'number'], optional: 1, gives: 'dynamic', named: true }, (text, by, place) =>
    split(text as string, by as string, place),
  ),
  define('replace_string', { takes: ['text', 'text', 'text'], gives: 'string' }, (text, from, to) => replaceAll(text as string, from as string, to as string)),
  {
    name: 'strlen',
    arity: [1, 1],
    bind: ({ args }) => lift('long', args, (cell) => [...toText(cell as Cell, args[0]?.type ?? 'string')].length, 'seen'),
  },
  {
    name: 'strcat',
    arity: [1, 64],
    bind: ({ args }) =>
      lift(
        'string',
        args,
        (...cells) =>
          joined(
            cells.map((cell, place) => toText(cell, args[place]?.type ?? 'string')),
            '',
          ),
        'seen',
      ),
  },
  {
    name: 'strcat_delim',
    arity: [2, 64],
    bind: ({ args }) =>
      lift(
        'string',
        args,
        (...cells) => {
          const [delimiter = '', ...texts] = cells.map((cell, place) => toText(cell, args[place]?.type ?? 'string'));
          return joined(texts, delimiter);
        },
        'seen',
      ),
  },
  trimming('trim', true, true),
  trimming('trim_start', true, false),
  trimming('trim_end', false, true),
  {
    name: 'extract',
    arity: [3, 3],
    bind(call) {
      const regex = createRegex(call.word, String(constantOf(call, 0, 'a regular expression')));
      const group = Number(constantOf(call, 1, 'the number of a group'));
      return lift('string', [coerce(call.word, 'text', call.args[2] as Scalar)], (text) => regex.group(text as string, group) ?? '', 'seen');
    },
  },
];

// Where a text begins is put right when it lies before 0.
function substring(text: string, start: number, length: number): string {
  const from = Math.max(0, start < 0 ? text.length + start : start);
  return length < 0 ? '' : text.slice(from, Math.min(from + length, text.length));
}

function indexOf(text: string, wanted: string, start = 0, length = -1, occurrence = 1): number {
  const from = start < 0 ? Math.max(0, text.length + start) : start;
  const part = length < 0 ? text : text.slice(0, from + length);
  let at = from - 1;
  for (let seen = 0; seen < occurrence; seen += 1) {
    if (at + 1 > part.length) return -1;
    at = part.indexOf(wanted, at + 1);
    if (at < 0) return -1;
  }
  return occurrence < 1 ? Number.NaN : at;
}

function split(text: string, by: string, place: Cell | undefined): string | null {
  const parts = by === '' ? [text] : text.split(by);
  if (place === undefined) return writeDynamic(parts);
  const part = parts[place as number];
  return writeDynamic(part === undefined ? [] : [part]);
}

function replaceAll(text: string, from: string, to: string): string {
  if (from === '') return text;
  const parts = text.split(from);
  checkedLength(text.length + (parts.length - 1) * (to.length - from.length));
  return parts.join(to);
}

function joined(texts: readonly string[], delimiter: string): string {
  checkedLength(texts.reduce((sum, text) => sum + text.length + delimiter.length, 0));
  return texts.join(delimiter);
}

// Refused before it is made.
function checkedLength(length: number): void {
  checkedText({ length } as string);
}

// Kusto's trim() takes a regular expression for what is cut off.
function trimming(name: string, start: boolean, end: boolean): ScalarFunction {
  return {
    name,
    arity: [2, 2],
    bind(call) {
      const pattern = String(constantOf(call, 0, 'a regular expression'));
      const before = start ? createRegex(call.word, `^(?:${pattern})`) : undefined;
      const after = end ? createRegex(call.word, `(?:${pattern})$`) : undefined;
      return lift('string', [coerce(call.word, 'text', call.args[1] as Scalar)], (text) => trimmed(text as string, before, after), 'seen');
    },
  };
}

function trimmed(text: string, before: Regex | undefined, after: Regex | undefined): string {
  const from = before?.find(text, 0)?.end ?? 0;
  const rest = text.slice(from);
  return rest.slice(0, after?.find(rest, 0)?.start ?? rest.length);
}
