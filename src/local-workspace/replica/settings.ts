import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** How a second copy is kept. */
export interface ReplicaSettings {
  /** An absolute path: a folder on another disk, linked with `replica link`. */
  readonly folder: string;
  /** `sync`: intake waits until its data is on both disks. `async`: the copy may be behind. */
  readonly mode: 'sync' | 'async';
  /** What intake does in `sync` while the other disk is away: `refuse` data (the senders keep it), or `go-on` with one copy. */
  readonly whenAway: 'refuse' | 'go-on';
  /** Seconds that one step on the other disk may take, 1 to 300; longer means away. */
  readonly waitSeconds: number;
}

export const replicaSettingsSchema: z.ZodType<ReplicaSettings> = z.strictObject({
  folder: z.string().min(1).max(4_000).refine(isAbsolute, 'must be an absolute path'),
  mode: z.enum(['sync', 'async']).default('sync'),
  whenAway: z.enum(['refuse', 'go-on']).default('refuse'),
  waitSeconds: z.int().min(1).max(300).default(10),
});
