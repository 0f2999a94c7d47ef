import { RE2JS } from 're2js';
import { messageOf } from '../../../../errors.ts';
import { MAX_REGEX_CHARS, MAX_REGEX_STEPS } from '../limits.ts';
import { semanticProblem, type Word } from '../problem.ts';

/** A regular expression in RE2's syntax, as Kusto has it: its time grows with the text's length and never beyond, whatever the expression. */
export interface Regex {
  test(text: string): boolean;
  /** The text of a group of the first match; undefined when there is no match, or no such group. */
  group(text: string, group: number): string | undefined;
  /** The first match from a place on. */
  find(text: string, from: number): { readonly start: number; readonly end: number } | undefined;
}

/** A semantic problem at `word` for what is no regular expression. */
export function createRegex(word: Word, pattern: string): Regex {
  const compiled = compile(word, pattern);
  return {
    test: (text) => compiled.test(text),
    group(text, group) {
      const matcher = compiled.matcher(text);
      if (group < 0 || group > compiled.groupCount() || !matcher.find()) return undefined;
      return matcher.group(group) ?? '';
    },
    find(text, from) {
      const matcher = compiled.matcher(text);
      return matcher.find(from) ? { start: matcher.start(), end: matcher.end() } : undefined;
    },
  };
}

function compile(word: Word, pattern: string): RE2JS {
  if (pattern.length > MAX_REGEX_CHARS)
    throw semanticProblem(word, `A regular expression has at most ${MAX_REGEX_CHARS} characters; this one has ${pattern.length}.`);
  const compiled = compiledOrRefused(word, pattern);
  const steps = compiled.programSize();
  if (steps > MAX_REGEX_STEPS)
    throw semanticProblem(word, `A regular expression has at most ${MAX_REGEX_STEPS} steps; this one has ${steps}. Repeat less in it, such as {1,50}.`);
  return compiled;
}

function compiledOrRefused(word: Word, pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    throw semanticProblem(word, `This is no regular expression of the kind RE2 knows (it has no look-around and no back references): ${messageOf(cause)}`);
  }
}
