import type { Vector } from './vector.ts';

/** Vectors that are read when they are first asked for: most of a segment's columns are of rows that a filter leaves out. */
export function lazyVectors(columns: readonly string[], read: (name: string) => Vector | undefined): ReadonlyMap<string, Vector> {
  const wanted = new Set(columns);
  const loaded = new Map<string, Vector>();
  const load = (name: string): Vector | undefined => {
    if (!wanted.delete(name)) return loaded.get(name);
    const vector = read(name);
    if (vector) loaded.set(name, vector);
    return vector;
  };
  const all = (): Map<string, Vector> => {
    for (const name of [...wanted]) load(name);
    return loaded;
  };
  return {
    get: load,
    has: (name) => load(name) !== undefined,
    get size() {
      return all().size;
    },
    keys: () => all().keys(),
    values: () => all().values(),
    entries: () => all().entries(),
    forEach: (call) => all().forEach(call),
    [Symbol.iterator]: () => all()[Symbol.iterator](),
  };
}
