import type { ColumnType } from '../../../tables/column.ts';
import { NO_TEXT, type NumberVector, type TextVector, type Vector } from '../../../tables/vector.ts';
import { MAX_BATCH_CHARS, MAX_TEXT_CHARS } from '../limits.ts';
import { TooLarge } from '../problem.ts';
import { type Cell, isTextType, type TextType } from '../values/cell.ts';

/** Takes one cell for each row of a vector that is being made. */
export interface VectorBuilder {
  set(row: number, cell: Cell): void;
  build(): Vector;
}

export function createVectorBuilder(type: ColumnType, rows: number): VectorBuilder {
  return isTextType(type) ? textVectorBuilder(type, rows) : numberVectorBuilder(type, rows);
}

function numberVectorBuilder(type: NumberVector['type'], rows: number): VectorBuilder {
  const values = new Float64Array(rows);
  return {
    set(row, cell) {
      values[row] = cell as number;
    },
    build: () => ({ kind: 'number', type, values }),
  };
}

function textVectorBuilder(type: TextType, rows: number): VectorBuilder {
  const dictionary = createDictionary();
  const codes = new Uint32Array(rows);
  return {
    set(row, cell) {
      codes[row] = dictionary.code(cell as string | null);
    },
    build: () => ({ kind: 'text', type, dictionary: dictionary.texts, codes }) satisfies TextVector,
  };
}

/** Texts that a function makes for one batch, each once. */
interface Dictionary {
  readonly texts: readonly string[];
  /** The text's place; `NO_TEXT` for null. Throws `TooLarge` for a text, or for texts together, that are too long. */
  code(text: string | null): number;
}

function createDictionary(): Dictionary {
  const texts: string[] = [];
  const places = new Map<string, number>();
  let chars = 0;
  return {
    texts,
    code(text) {
      if (text === null) return NO_TEXT;
      const known = places.get(text);
      if (known !== undefined) return known;
      chars += checkedText(text).length;
      if (chars > MAX_BATCH_CHARS) throw new TooLarge(`An expression makes more than ${MAX_BATCH_CHARS} characters of text for one batch of rows.`);
      places.set(text, texts.length);
      return texts.push(text) - 1;
    },
  };
}

/** Throws `TooLarge` for a text that is longer than Kusto's strings may be. */
export function checkedText(text: string): string {
  if (text.length > MAX_TEXT_CHARS) throw new TooLarge(`A function makes a text of ${text.length} characters; a text has at most ${MAX_TEXT_CHARS}.`);
  return text;
}
