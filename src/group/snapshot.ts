/**
 * What the primary hands to the other relays: everything by which they know agents, and can take its place. Its version is a hash of its content,
 * so that nobody can forget to count a change.
 *
 * On the wire: four bytes of length, the secrets as JSON, the rest as JSON in gzip. The secrets stay out of the compression: agents choose names
 * that are beside them, and the size of what is compressed would tell about what it holds.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import type { AuthorityCopy } from '../authority/authority.ts';
import { RelayError } from '../errors.ts';
import type { GroupCopy } from '../management-group/group-copy.ts';
import type { CopiedRow } from '../management-group/table-copy.ts';
import type { RouteRule } from '../routing/route.ts';
import { memberSchema } from './group-file.ts';
import type { Claim } from './membership.ts';

const zipped = promisify(gzip);
const unzipped = promisify(gunzip);

/** The format this release writes, and the only one it reads. Further members of the JSON are passed over. */
const FORMAT = 1;
const MOST_BYTES = 256 * 1024 * 1024;
const LENGTH_BYTES = 4;

export interface Snapshot extends Claim {
  readonly authority: AuthorityCopy;
  readonly group: GroupCopy;
  /** What operators said about solutions. */
  readonly rules: readonly RouteRule[];
  /** Ids of the workspaces that the primary serves. */
  readonly workspaces: readonly string[];
}

/** A snapshot as it travels. */
export interface PackedSnapshot {
  readonly version: string;
  readonly bytes: Buffer;
}

const root = z.object({ certificate: z.string(), privateKey: z.string(), crossed: z.string().optional(), knownSince: z.number().optional() });
const secretPart = z.object({
  format: z.literal(FORMAT),
  authority: z.object({
    roots: z.object({
      current: root,
      next: z.object({ root, beginsAt: z.number() }).optional(),
      retired: z.array(z.object({ certificate: z.string(), trustedUntil: z.number() })),
    }),
    issuedUntil: z.number(),
  }),
  enrolmentKeys: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      workspaceId: z.string(),
      createdAt: z.number(),
      expiresAt: z.number().optional(),
      revokedAt: z.number().optional(),
      uses: z.number(),
      maxUses: z.number().optional(),
      key: z.base64(),
    }),
  ),
  senderSecrets: z
    .array(z.object({ id: z.string(), agentId: z.string(), createdAt: z.number(), expiresAt: z.number().optional(), text: z.string() }))
    .optional(),
});
// Looked at by hand: there are tens of thousands, and a schema for each row takes a second.
const rows = z.array(z.custom<CopiedRow>(isRow));
const openPart = z.object({
  term: z.number().int().positive(),
  primary: z.string(),
  members: z.array(memberSchema).min(1).max(16),
  agents: rows,
  certificates: rows,
  tokens: rows,
  agentKeys: rows,
  issued: rows,
  rules: z.array(
    z.object({
      solution: z.string(),
      dataType: z.string().optional(),
      group: z.string().optional(),
      route: z.enum(['relay', 'direct']).optional(),
      isEnabled: z.boolean().optional(),
      everyMs: z.number().optional(),
    }),
  ),
  workspaces: z.array(z.string()),
});

export async function packSnapshot({ authority, group, ...rest }: Snapshot): Promise<PackedSnapshot> {
  const { enrolmentKeys, senderSecrets, ...tables } = group;
  const secret = Buffer.from(JSON.stringify({ format: FORMAT, authority, enrolmentKeys, senderSecrets }));
  const open = Buffer.from(JSON.stringify({ ...rest, ...tables }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(secret.length);
  const version = createHash('sha256').update(length).update(secret).update(open).digest('base64url').slice(0, 22);
  return { version, bytes: Buffer.concat([length, secret, await zipped(open)]) };
}

function isRow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((cell) => cell === null || typeof cell === 'string' || typeof cell === 'number');
}

/** Reads one. Throws `relay.group.bad-snapshot`, without showing what it holds. */
export async function unpackSnapshot(bytes: Buffer): Promise<Snapshot> {
  try {
    const end = LENGTH_BYTES + bytes.readUInt32BE();
    const { authority, enrolmentKeys, senderSecrets } = secretPart.parse(JSON.parse(bytes.toString('utf8', LENGTH_BYTES, end)));
    const open = openPart.parse(JSON.parse((await unzipped(bytes.subarray(end), { maxOutputLength: MOST_BYTES })).toString()));
    const { agents, certificates, tokens, agentKeys, issued, ...rest } = open;
    return {
      ...rest,
      authority,
      group: { agents, certificates, tokens, agentKeys, issued, enrolmentKeys, ...(senderSecrets ? { senderSecrets } : {}) },
    } as unknown as Snapshot;
  } catch (cause) {
    // Where only: the text of another error may show what was read.
    const where = cause instanceof z.ZodError ? cause.issues.map(({ path }) => path.slice(0, 2).join('.')).join(', ') : 'it is damaged';
    throw new RelayError(
      'relay.group.bad-snapshot',
      `The primary's copy of the group cannot be used (${where}). If the primary runs a newer release, upgrade this relay too.`,
    );
  }
}
