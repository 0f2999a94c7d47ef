/** What an archive says of itself: `manifest.json`, its first member, and `SHA256SUMS`, its last. */
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import type { Part } from './state-files.ts';

export const MANIFEST = 'manifest.json';
export const SUMS = 'SHA256SUMS';
/** The configuration file, whatever it was called. */
export const CONFIGURATION = 'configuration/relay.yaml';
/** A newer number means that an older release could not restore it rightly. */
export const FORMAT = 1;

/** A file that an option of the configuration names, and its place in the archive. */
export interface NamedMember {
  /** `workspaces[0].sharedKeyFile` */
  readonly option: string;
  /** Absolute, on the machine it was made on. */
  readonly path: string;
  readonly member: string;
  readonly isSecret: boolean;
}

export interface Manifest {
  readonly format: number;
  readonly release: string;
  readonly host: string;
  readonly domain: string;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  readonly rootFingerprint: string;
  readonly agents: number;
  /** Whether the relay was running. */
  readonly isLive: boolean;
  readonly parts: readonly Part[];
  /** Absolute paths on the machine it was made on. */
  readonly configuration: { readonly folder: string; readonly data: string };
  /** Whether the key ring came from the credential store. */
  readonly isRingCredential: boolean;
  readonly files: readonly NamedMember[];
  readonly leftOut: readonly LeftOut[];
  /** The last line of the audit log at that moment. */
  readonly auditHead?: { readonly number: number; readonly seal: string } | undefined;
}

/** What is not in the backup although it was there or was named. */
export interface LeftOut {
  readonly what: string;
  readonly reason: string;
}

const text = z.string().max(4096);
const content: z.ZodType<Manifest> = z.object({
  format: z.literal(FORMAT),
  release: text,
  host: text,
  domain: text,
  madeAt: z.iso.datetime(),
  rootFingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  agents: z.number().int().min(0),
  isLive: z.boolean(),
  parts: z.array(z.enum(['state', 'audit', 'cache'])),
  configuration: z.object({ folder: text, data: text }),
  isRingCredential: z.boolean(),
  files: z.array(z.object({ option: text, path: text, member: text, isSecret: z.boolean() })).max(10_000),
  leftOut: z.array(z.object({ what: text, reason: text })).max(10_000),
  auditHead: z.object({ number: z.number().int().min(0), seal: text }).optional(),
});

/** A member's hash, in hexadecimal. */
export interface Sum {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads a manifest. Throws `relay.backup.newer-format`, and `relay.backup.damaged` when it is none. */
export function readManifest(text: string): Manifest {
  const value = parsed(text);
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > FORMAT)
    throw new RelayError(
      'relay.backup.newer-format',
      `This backup was made by a newer release (${String((value as { release?: unknown }).release).slice(0, 40)}, format ${format}; this one reads ${FORMAT}). Restore it with that release.`,
    );
  const found = content.safeParse(value);
  if (found.success) return found.data;
  throw new RelayError('relay.backup.damaged', `The backup's ${MANIFEST} cannot be read: ${found.error.issues[0]?.path.join('.')}. Take another backup.`);
}

/** The list as sha256sum writes it, so that it can be checked without Relay. */
export function writeSums(sums: readonly Sum[]): string {
  return sums.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

/** Hashes by name. Throws `relay.backup.damaged`. */
export function readSums(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').slice(0, -1);
  const entries = lines.map((line) => /^([0-9a-f]{64}) {2}(.+)$/.exec(line));
  if (entries.length === 0 || entries.some((entry) => entry === null))
    throw new RelayError('relay.backup.damaged', `The backup's ${SUMS} cannot be read. Take another backup.`);
  return new Map(entries.map((entry) => [String(entry?.[2]), String(entry?.[1])]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
