import { nameWithoutNot } from './negation.ts';

/** Whether a text matches a needle that was prepared once. */
export type TextTest = (text: string) => boolean;

/** Prepares one of Kusto's string operators for a needle. Without `_cs` they disregard case ("String operators"). */
export function textTest(operator: string, needle: string): TextTest {
  const name = nameWithoutNot(operator);
  const sensitive = name.endsWith('_cs');
  const base = sensitive ? name.slice(0, -3) : name;
  const make = Object.hasOwn(TESTS, base) ? TESTS[base] : undefined;
  if (!make) throw new Error(`no string operator ${operator}`);
  const test = make(sensitive ? needle : needle.toLowerCase());
  const cased: TextTest = sensitive ? test : (text) => test(text.toLowerCase());
  return operator === name ? cased : (text) => !cased(text);
}

const TESTS: Readonly<Record<string, (needle: string) => TextTest>> = {
  contains: (needle) => (text) => text.includes(needle),
  startswith: (needle) => (text) => text.startsWith(needle),
  endswith: (needle) => (text) => text.endsWith(needle),
  has: (needle) => (text) => hasTerm(text, needle, true, true),
  hasprefix: (needle) => (text) => hasTerm(text, needle, true, false),
  hassuffix: (needle) => (text) => hasTerm(text, needle, false, true),
};

const WORD_CHARACTER = /[\p{L}\p{N}]/u;

// A term is a run of letters and digits: where the needle begins or ends with one, the text may not go on with another.
function hasTerm(text: string, needle: string, whole: boolean, toEnd: boolean): boolean {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const begins = !whole || !(isWordAt(text, at - 1) && isWordAt(needle, 0));
    const ends = !toEnd || !(isWordAt(text, at + needle.length) && isWordAt(needle, needle.length - 1));
    if (begins && ends) return true;
    if (at >= text.length) break;
  }
  return false;
}

function isWordAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);
  return !Number.isNaN(code) && WORD_CHARACTER.test(text[at] ?? '');
}
