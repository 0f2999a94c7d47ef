/**
 * A bundle's manifest: JSON of at most 256 KiB, signed as the bytes it is. By the payload's hash in it one signature covers everything.
 */
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { type ReleaseFacts, releaseFactsSchema } from './facts-schema.ts';

export const MANIFEST_FORMAT = 1;
export const MAX_MANIFEST_BYTES: number = 256 * 1024;
/** Largest payload, as it is in the bundle. */
export const MAX_PAYLOAD_BYTES: number = 1024 ** 3;
/** Largest release, unpacked. */
export const MAX_RELEASE_BYTES: number = 4 * 1024 ** 3;
/** Most files of a release. */
export const MAX_RELEASE_FILES = 100_000;

/** Sizes in bytes. */
export interface Payload {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly unpackedBytes: number;
  /** How many files there are in it. */
  readonly files: number;
}

export interface Manifest {
  readonly format: typeof MANIFEST_FORMAT;
  /** The release's own `release.json`. */
  readonly release: ReleaseFacts;
  readonly payload: Payload;
}

const payload = z.strictObject({
  bytes: z.number().int().positive().max(MAX_PAYLOAD_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  unpackedBytes: z.number().int().positive().max(MAX_RELEASE_BYTES),
  files: z.number().int().positive().max(MAX_RELEASE_FILES),
});
const schema: z.ZodType<Manifest> = z.strictObject({ format: z.literal(MANIFEST_FORMAT), release: releaseFactsSchema, payload });

export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** Reads a manifest whose signature was verified. Throws `relay.upgrade.bad-bundle`. */
export function decodeManifest(bytes: Buffer): Manifest {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new RelayError(
      'relay.upgrade.bad-bundle',
      'The bundle is signed, but its manifest is none that this release can read. It may need a release in between: see the notes of the release. Nothing was changed.',
      { cause: cause instanceof z.ZodError ? new Error(z.prettifyError(cause)) : cause },
    );
  }
}
