import { isDeepStrictEqual } from 'node:util';

/**
 * A list that setup shares with others: items of `before` that are not in `now` go, items of `now` come behind the rest, each once. Undefined when it stays
 * as it is, or is no list.
 */
export function mergeList<T>(found: unknown, { before, now }: { readonly before: readonly T[]; readonly now: readonly T[] }): readonly T[] | undefined {
  if (found !== undefined && found !== null && !Array.isArray(found)) return undefined;
  const list = (found ?? []) as readonly T[];
  const has = (items: readonly T[], item: T): boolean => items.some((each) => isDeepStrictEqual(each, item));
  const kept = list.filter((item) => has(now, item) || !has(before, item));
  const merged = [...kept, ...now.filter((item, at) => !has(kept, item) && !has(now.slice(0, at), item))];
  return isDeepStrictEqual(merged, list) ? undefined : merged;
}
