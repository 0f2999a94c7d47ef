import { z } from 'zod';

/** Days of the service (its documentation, "Data retention"): bounds of what can be set, what `paid` is unless set, what `free` is. Its "30" is really 31. */
export const RETENTION_DAYS = { least: 4, most: 730, usual: 31, free: 7 } as const;

/** `free`: 7 days for all tables · `paid`: as set, 31 days unless set. */
export type Plan = 'free' | 'paid';

/** How long a workspace keeps its rows. What was changed while it ran is in its database, and stays until these settings say something new. */
export interface RetentionSettings {
  readonly plan: Plan;
  /** 4 to 730; only with `paid`. */
  readonly days?: number | undefined;
  /** Days (1 to 730, 14 unless given) that rows stay on the fast disk, where there is one. */
  readonly hotDays: number;
  /** Days (0 to 365, 30 unless given) until a shortening takes effect. */
  readonly graceDays: number;
}

const days = z.int().min(RETENTION_DAYS.least).max(RETENTION_DAYS.most);

/** Reads `RetentionSettings` and fills in the defaults. */
export const retentionSettings: z.ZodType<RetentionSettings> = z
  .strictObject({
    plan: z.enum(['free', 'paid']).default('paid'),
    days: days.optional(),
    hotDays: z.int().min(1).max(RETENTION_DAYS.most).default(14),
    graceDays: z.int().min(0).max(365).default(30),
  })
  .refine(({ plan, days: set }) => plan === 'paid' || set === undefined, {
    path: ['days'],
    message: `must be left out with plan "free", which keeps all tables ${RETENTION_DAYS.free} days`,
  });
