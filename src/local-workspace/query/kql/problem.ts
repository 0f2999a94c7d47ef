/** How a query ends early. Thrown deep inside, caught in `run-query.ts`, which makes data of it. */

/** A word of the query's text and where it begins (counted from 0). */
export interface Word {
  readonly offset: number;
  readonly text: string;
}

/** The query's text is at fault. */
export class TextProblem extends Error {
  readonly kind: 'syntax-error' | 'semantic-error';
  readonly word: Word;
  readonly code: string | undefined;

  constructor(kind: 'syntax-error' | 'semantic-error', word: Word, message: string, code?: string) {
    super(message);
    this.kind = kind;
    this.word = word;
    this.code = code;
  }
}

/** The caller gave up. */
export class Cancelled extends Error {}

/** The query wants more memory than it may have. */
export class TooLarge extends Error {}

/** The text breaks the grammar at this word. The place is put before the message later. */
export function syntaxProblem(word: Word, message: string): TextProblem {
  return new TextProblem('syntax-error', word, message, 'SYN0002');
}

/** The text is grammatical, and this word means nothing or does not fit. */
export function semanticProblem(word: Word, message: string, code?: string): TextProblem {
  return new TextProblem('semantic-error', word, message, code);
}
