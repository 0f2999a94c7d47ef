/**
 * A bundle: a tar archive of `manifest.json`, `manifest.sig` and `payload.tar.gz`, in this order and nothing else. The signature is verified before
 * anything after it is looked at, and the payload's hash before anything in it is believed. Read as a stream: no more of it is in memory than a piece.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { RelayError } from '../errors.ts';
import { decodeManifest, MAX_MANIFEST_BYTES, MAX_PAYLOAD_BYTES, type Manifest } from './manifest.ts';
import { MAX_SIGNATURES_BYTES, type ReleaseKey, verifyManifest } from './signatures.ts';
import { contentOf, type Entry, eachEntry } from './tar-entries.ts';

/** The bundle's entries, in their order. */
export const BUNDLE_ENTRIES = ['manifest.json', 'manifest.sig', 'payload.tar.gz'] as const;
/** A bundle's file cannot be larger: a payload and the little before it. */
const MAX_BUNDLE_BYTES = MAX_PAYLOAD_BYTES + 1024 ** 2;

/** A bundle that was verified from its first byte to its last. */
export interface VerifiedBundle {
  readonly manifest: Manifest;
  /** Who signed it. */
  readonly key: ReleaseKey;
}

/** Verifies signature, size and hash of everything. Throws `relay.upgrade.bad-bundle` and `relay.upgrade.not-trusted`. */
export async function verifyBundle(path: string, trusted: readonly ReleaseKey[]): Promise<VerifiedBundle> {
  return await readBundle(path, trusted, async (payload) => {
    for await (const _chunk of payload);
  });
}

/** Verifies all of it again while `take` reads the payload: whoever changed the file meanwhile is found at the end, when `take` has ended. Throws as `verifyBundle`. */
export async function readBundle(
  path: string,
  trusted: readonly ReleaseKey[],
  take: (payload: Readable, manifest: Manifest) => Promise<void>,
): Promise<VerifiedBundle> {
  const parts: Buffer[] = [];
  let verified: VerifiedBundle | undefined;
  let isComplete = false;
  await mustBeOfSize(path);
  const takeEntry = async (entry: Entry): Promise<void> => {
    const expected = BUNDLE_ENTRIES[parts.length + Number(isComplete)];
    if (entry.header.type !== 'file' || entry.header.name !== expected)
      throw badBundle(`it holds ${JSON.stringify(entry.header.name)} (${entry.header.type}) where ${expected ?? 'its end'} should be`);
    if (expected !== 'payload.tar.gz') {
      parts.push(await contentOf(entry, expected === 'manifest.json' ? MAX_MANIFEST_BYTES : MAX_SIGNATURES_BYTES));
      return;
    }
    const [manifest = Buffer.alloc(0), signatures = Buffer.alloc(0)] = parts;
    const key = verifyManifest(manifest, signatures, trusted);
    verified = { manifest: decodeManifest(manifest), key };
    await takePayload(entry, verified.manifest, take);
    isComplete = true;
  };
  try {
    await eachEntry(createReadStream(path), takeEntry);
  } catch (cause) {
    throw cause instanceof RelayError ? cause : badBundle('it cannot be read to its end. It may have been cut short on its way: fetch it again', cause);
  }
  if (!verified || !isComplete) throw badBundle('it is no whole bundle. It may have been cut short on its way: fetch it again');
  return verified;
}

async function takePayload(entry: Entry, manifest: Manifest, take: (payload: Readable, manifest: Manifest) => Promise<void>): Promise<void> {
  const { bytes, sha256 } = manifest.payload;
  if (entry.header.size !== bytes) throw badBundle(`its payload has ${entry.header.size} bytes, the manifest says ${bytes}`);
  const hash = createHash('sha256');
  await take(Readable.from(hashed(entry, hash)), manifest);
  if (hash.digest('hex') !== sha256) throw badBundle('its payload is not the one that was signed. Fetch it again');
}

async function* hashed(entry: Entry, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of entry) {
    hash.update(chunk);
    yield chunk;
  }
}

async function mustBeOfSize(path: string): Promise<void> {
  try {
    await using file = await open(path, 'r');
    const stats = await file.stat();
    if (!stats.isFile()) throw badBundle(`${path} is no file`);
    if (stats.size > MAX_BUNDLE_BYTES) throw badBundle(`it has ${stats.size} bytes, more than any bundle`);
  } catch (cause) {
    throw cause instanceof RelayError ? cause : badBundle(`${path} cannot be opened`, cause);
  }
}

/** The refusal of a bundle. */
export function badBundle(why: string, cause?: unknown): RelayError {
  return new RelayError('relay.upgrade.bad-bundle', `The bundle cannot be used: ${why}. Nothing was changed.`, cause === undefined ? {} : { cause });
}
