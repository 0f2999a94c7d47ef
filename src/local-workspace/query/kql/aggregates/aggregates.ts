import type { AggregateFunction } from './aggregate.ts';
import { ANY_AGGREGATES } from './any.ts';
import { COLLECTION_AGGREGATES } from './collections.ts';
import { COUNT_AGGREGATES } from './counts.ts';
import { DCOUNT_AGGREGATES } from './dcount.ts';
import { EXTREME_AGGREGATES } from './extremes.ts';
import { PERCENTILE_AGGREGATES } from './percentiles.ts';
import { SUM_AGGREGATES } from './sums.ts';

/** Every aggregate of the language, by name. `names.ts` has the same names. */
export const AGGREGATES: ReadonlyMap<string, AggregateFunction> = new Map(
  [...[COUNT_AGGREGATES, DCOUNT_AGGREGATES, SUM_AGGREGATES, EXTREME_AGGREGATES], ...[PERCENTILE_AGGREGATES, ANY_AGGREGATES, COLLECTION_AGGREGATES]].flatMap(
    (group) => group.map((one) => [one.name, one] as const),
  ),
);
