/**
 * What a relay remembers of its group: who belongs to it, and who is its primary. One small file, written whole before a change holds. No file:
 * the relay is alone. No secret is in it: of the tokens to join only hashes.
 */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, syncFolder, writeFileAtomic } from '../files.ts';
import type { Format } from '../format.ts';
import type { Member, MemberId } from './member.ts';

/** The file's format. */
export const GROUP_FORMAT: Format = { reads: [1], writes: 1 };

/** Lets one relay join, once. */
export interface JoinToken {
  /** SHA-256 of its secret, hexadecimal. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface GroupFile {
  /** This relay. */
  readonly id: MemberId;
  /** Counts the primaries there have been. Of two that say they are the primary, the one of the higher term is. */
  readonly term: number;
  readonly primary: MemberId;
  /** All relays of the group, this one among them. */
  readonly members: readonly Member[];
  readonly tokens: readonly JoinToken[];
  /** It was the primary until another took over without it: what only it knew goes with the next copy. */
  readonly isDisplaced?: boolean | undefined;
}

/** `alone`: in no group. */
export type GroupRole = 'alone' | 'primary' | 'member';

export const memberSchema: z.ZodType<Member> = z.object({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  name: z.string().min(1).max(64),
  address: z.url().max(300),
  certificates: z.array(z.object({ fingerprint: z.string().regex(/^[0-9a-f]{64}$/), notAfter: z.number() })).max(4),
  joinedAt: z.number(),
}) as unknown as z.ZodType<Member>;

const fileContent = z.object({
  version: z.literal(GROUP_FORMAT.reads),
  id: z.string(),
  term: z.number().int().positive(),
  primary: z.string(),
  members: z.array(memberSchema).min(1).max(16),
  tokens: z.array(z.object({ hash: z.string(), expiresAt: z.number() })).max(16),
  isDisplaced: z.boolean().optional(),
}) as unknown as z.ZodType<GroupFile & { readonly version: number }>;

export interface GroupState {
  /** Undefined: alone. */
  current(): GroupFile | undefined;
  role(): GroupRole;
  /** Writes what `next` makes of it, then uses it; one change after the other. The same object: nothing changes. */
  change(next: (before: GroupFile | undefined) => GroupFile | undefined): Promise<void>;
  /** Calls `listener` after each change. The function returned ends it. */
  onChange(listener: () => void): () => void;
}

/** Reads the file in `folder`. Throws `relay.group.unreadable` for one that is damaged: who the primary is must not be guessed. */
export async function openGroupState(folder: string): Promise<GroupState> {
  const path = join(folder, 'group.json');
  const listeners = new Set<() => void>();
  let current = await read(path);
  let writing: Promise<unknown> = Promise.resolve();
  return {
    current: () => current,
    role: () => roleIn(current),
    change(next) {
      const written = writing.then(async () => {
        const changed = next(current);
        if (changed === current) return;
        await write(path, changed);
        current = changed;
        for (const listener of listeners) listener();
      });
      writing = written.catch(() => {});
      return written;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** What a relay is in its group. */
export function roleIn(file: GroupFile | undefined): GroupRole {
  if (!file) return 'alone';
  return file.primary === file.id ? 'primary' : 'member';
}

async function read(path: string): Promise<GroupFile | undefined> {
  const text = (await readFileIfAny(path))?.toString();
  if (text === undefined) return undefined;
  try {
    const { version: _, ...file } = fileContent.parse(JSON.parse(text));
    return file;
  } catch (cause) {
    throw new RelayError('relay.group.unreadable', `${path} is damaged. Restore it from a backup; or remove it, and this relay is in no group any more.`, {
      cause,
    });
  }
}

async function write(path: string, file: GroupFile | undefined): Promise<void> {
  await makePrivateFolder(dirname(path));
  if (file) return await writeFileAtomic(path, `${JSON.stringify({ version: GROUP_FORMAT.writes, ...file }, null, 2)}\n`);
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}
