/** What a release says of itself, in the `release.json` of its folder. */
import { z } from 'zod';
import type { Format } from '../format.ts';

/** Formats on disk, by name. */
export type Formats = Readonly<Record<string, Format>>;

const format = z.strictObject({ reads: z.array(z.number().int().positive()).min(1).max(1000), writes: z.number().int().positive() });
const version = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9A-Za-z.-]{1,60})?$/, 'no version such as 1.2.3');

/** Formats as JSON. */
export const formatsSchema: z.ZodType<Formats> = z.record(z.string().regex(/^[A-Za-z]{1,40}$/), format);

/** `release.json` in a release's folder. */
export interface ReleaseFacts {
  readonly name: string;
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly builtAt: string;
  /** Node's version. */
  readonly node: string;
  readonly followsFrom: string;
  readonly formats: Formats;
}

/** Facts as JSON; what else is said there, such as the commit, is left out. */
export const releaseFactsSchema: z.ZodType<ReleaseFacts> = z.object({
  name: z.literal('ops-relay'),
  version,
  builtAt: z.iso.datetime(),
  node: z.string().max(40),
  followsFrom: version,
  formats: formatsSchema,
});
