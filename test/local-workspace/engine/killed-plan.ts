/** What the process that is killed does next, by chance that can be repeated. */
import type { StagedEntry } from '../../../src/local-workspace/staging/entry.ts';
import { seeded } from '../../support/seeded.ts';
import { custom, DAY_MS, NOON } from '../tables/store-rig.ts';

/** Rows of yesterday are trimmed, and those of the others are purged, some day. */
export const OLD = 'old';
const KINDS = [OLD, 'a', 'b', 'c', 'stays', 'stays', 'stays'] as const;
const YESTERDAY = new Date(NOON - DAY_MS).toISOString();

export interface PlannedEntry {
  readonly entry: StagedEntry;
  /** Of its rows, each different from all others. */
  readonly numbers: readonly number[];
  readonly kind: string;
}

export type PlannedStep =
  | { readonly what: 'stage'; readonly entries: readonly PlannedEntry[] }
  | { readonly what: 'commit' }
  | { readonly what: 'trim'; readonly now: number }
  | { readonly what: 'purge'; readonly kind: string };

export function readPlan(seed: number): () => PlannedStep {
  const random = seeded(seed);
  const draw = (count: number): number => Math.floor(random() * count);
  let next = seed * 1_000_000;

  const entry = (): PlannedEntry => {
    const kind = KINDS[draw(KINDS.length)] as string;
    const numbers = Array.from({ length: 1 + draw(4) }, () => {
      next += 1;
      return next;
    });
    const records = numbers.map((n) => ({ n, kind, ...(kind === OLD ? { TimeGenerated: YESTERDAY } : {}) }));
    return { entry: custom('Door', records, 'TimeGenerated'), numbers, kind };
  };

  return () => {
    const at = draw(20);
    if (at < 12) return { what: 'stage', entries: Array.from({ length: 1 + draw(4) }, entry) };
    if (at < 17) return { what: 'commit' };
    return at < 18 ? { what: 'trim', now: Math.floor(NOON / DAY_MS) * DAY_MS } : { what: 'purge', kind: KINDS[1 + draw(3)] as string };
  };
}
