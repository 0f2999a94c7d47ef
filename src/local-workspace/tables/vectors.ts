/** What is done with whole columns when segments are merged, or rows are left out. */
import type { Column } from './column.ts';
import { NO_TEXT, type NumberVector, type TextVector, type Vector } from './vector.ts';
import { emptyVector } from './vector-codec.ts';

/** One column of several segments, one after another. A segment without it is given by its number of rows. */
export function concatenate(column: Column, parts: readonly (Vector | number)[]): Vector {
  const vectors = parts.map((part) => (typeof part === 'number' ? emptyVector(column, part) : part));
  return emptyVector(column, 0).kind === 'number' ? joinNumbers(vectors as NumberVector[]) : joinTexts(vectors as TextVector[]);
}

/** The rows of a column at these places, in this order. */
export function pick(vector: Vector, places: Uint32Array): Vector {
  if (vector.kind === 'number') return { ...vector, values: Float64Array.from(places, (place) => vector.values[place] as number) };
  const used = new Map<number, number>();
  const dictionary: string[] = [];
  // What no row has any more must not stay behind in the dictionary.
  const codes = Uint32Array.from(places, (place) => {
    const code = vector.codes[place] as number;
    if (code === NO_TEXT) return NO_TEXT;
    const known = used.get(code);
    if (known !== undefined) return known;
    const next = dictionary.push(vector.dictionary[code] as string) - 1;
    used.set(code, next);
    return next;
  });
  return { ...vector, dictionary, codes };
}

function joinNumbers(vectors: readonly NumberVector[]): NumberVector {
  const values = new Float64Array(vectors.reduce((sum, vector) => sum + vector.values.length, 0));
  let at = 0;
  for (const vector of vectors) {
    values.set(vector.values, at);
    at += vector.values.length;
  }
  return { ...(vectors[0] as NumberVector), values };
}

function joinTexts(vectors: readonly TextVector[]): TextVector {
  const codes = new Uint32Array(vectors.reduce((sum, vector) => sum + vector.codes.length, 0));
  const places = new Map<string, number>();
  const dictionary: string[] = [];
  let at = 0;
  for (const vector of vectors) {
    const moved = vector.dictionary.map((text) => {
      const known = places.get(text);
      if (known !== undefined) return known;
      const place = dictionary.push(text) - 1;
      places.set(text, place);
      return place;
    });
    for (const code of vector.codes) {
      codes[at] = code === NO_TEXT ? NO_TEXT : (moved[code] as number);
      at += 1;
    }
  }
  return { ...(vectors[0] as TextVector), dictionary, codes };
}
