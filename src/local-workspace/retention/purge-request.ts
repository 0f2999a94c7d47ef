/** What comes as JSON in a request for a purge, as the service's own has it (`POST …/purge`, API version 2020-08-01): every size is bounded. */
import { z } from 'zod';

const MAX_FILTERS = 20;
const MAX_VALUES = 1_000;
const MAX_NAME_CHARS = 128;
const MAX_VALUE_CHARS = 8_192;

/** The service's operators. `between` includes both ends. */
export const PURGE_OPERATORS = ['==', '=~', 'in', 'in~', '>', '>=', '<', '<=', 'between'] as const;

export type PurgeOperator = (typeof PURGE_OPERATORS)[number];

export type PurgeValue = string | number | boolean;

/** One condition. A row goes when it meets all of a request's. */
export interface PurgeFilter {
  readonly column: string;
  readonly operator: PurgeOperator;
  /** Several for `in`, `in~` and `between`. Times are ISO 8601. */
  readonly value: PurgeValue | readonly PurgeValue[];
  /** Which member of a dynamic column. */
  readonly key?: string | undefined;
}

export interface PurgeRequest {
  readonly table: string;
  readonly filters: readonly PurgeFilter[];
}

const name = z.string().min(1).max(MAX_NAME_CHARS);
const value = z.union([z.string().max(MAX_VALUE_CHARS), z.number(), z.boolean()]);

/** Reads a `PurgeRequest`. */
export const purgeRequestSchema: z.ZodType<PurgeRequest> = z.strictObject({
  table: name,
  filters: z
    .array(
      z.strictObject({
        column: name,
        operator: z.enum(PURGE_OPERATORS),
        value: z.union([value, z.array(value).max(MAX_VALUES)]),
        key: name.optional(),
      }),
    )
    .min(1, 'must have at least one; a whole table is deleted with DELETE')
    .max(MAX_FILTERS),
});
