import { NO_TEXT, type TextVector } from '../../../tables/vector.ts';
import { type Budget, textBytes } from '../budget.ts';

/** One dictionary for the texts of many batches. */
export interface TextCodes {
  readonly texts: readonly string[];
  /** The text's code, a new one when it has none. */
  enter(text: string): number;
  /** The code of each row's text in this dictionary; where a row has none, what `missing` gives. New texts are entered in the order of the rows. */
  encode(vector: TextVector, rows: number, missing: () => number): Uint32Array;
  /** Like `encode`; a text that is not in the dictionary has `unknown`, and is not entered. Without a text a row has the code of `missing`, or `unknown`. */
  look(vector: TextVector, rows: number, missing: string, unknown: number): Uint32Array;
}

const UNSEEN = 0xffff_fffe;

export function createTextCodes(budget: Budget): TextCodes {
  const texts: string[] = [];
  const codes = new Map<string, number>();

  const enter = (text: string): number => {
    const known = codes.get(text);
    if (known !== undefined) return known;
    budget.spend(textBytes(text));
    codes.set(text, texts.length);
    return texts.push(text) - 1;
  };
  return {
    texts,
    enter,
    encode: (vector, rows, missing) => translate(vector, rows, missing, enter),
    look(vector, rows, missing, unknown) {
      const find = (text: string): number => codes.get(text) ?? unknown;
      return translate(vector, rows, () => find(missing), find);
    },
  };
}

// A text of the batch's dictionary is looked up once, when the first row has it; a dictionary far larger than the batch is not walked at all.
function translate(vector: TextVector, rows: number, missing: () => number, codeOf: (text: string) => number): Uint32Array {
  const { codes, dictionary } = vector;
  const translated = new Uint32Array(rows);
  const remember = dictionary.length < rows * 8;
  const seen = remember ? new Uint32Array(dictionary.length).fill(UNSEEN) : undefined;
  for (let row = 0; row < rows; row += 1) {
    const code = codes[row] as number;
    if (code === NO_TEXT) {
      translated[row] = missing();
      continue;
    }
    let known = seen ? (seen[code] as number) : UNSEEN;
    if (known === UNSEEN) {
      known = codeOf(dictionary[code] ?? '');
      if (seen) seen[code] = known;
    }
    translated[row] = known;
  }
  return translated;
}
