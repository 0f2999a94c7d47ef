/**
 * Files of one window get their names, and their lines enter the manifest. What is to be done is noted first, on our own disk, so that after a
 * crash at any step it is done to its end: invariant: a window is in the export as a whole or not at all. Nothing is ever overwritten.
 */
import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { type Disk, replaceFile } from '../private-storage/place/disk.ts';
import { makeFolders } from '../private-storage/place/folders.ts';
import { hashFile, readPieces, readSmall } from '../private-storage/place/read-file.ts';
import type { ExportPlaces } from './export-parts.ts';
import { formatHead, readHead, writeHeadNote } from './manifest-head.ts';
import type { ManifestHead } from './manifest-line.ts';
import type { ExportSigner } from './signer.ts';

const MAX_PENDING_BYTES = 64 * 1024 * 1024;
// What file systems without hard links answer: FAT, and many that are mounted over the network.
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** What is to be done. */
export interface Pending {
  /** How long the manifest was before. */
  readonly manifestBytes: number;
  /** What comes behind, with line breaks. */
  readonly lines: string;
  readonly head: ManifestHead;
  readonly files: readonly { readonly draft: string; readonly path: string; readonly sha256: string }[];
}

const pendingSchema: z.ZodType<Pending> = z.strictObject({
  manifestBytes: z.int().min(0),
  lines: z.string(),
  head: z.strictObject({ number: z.int(), hash: z.string() }),
  files: z.array(z.strictObject({ draft: z.string(), path: z.string(), sha256: z.string() })),
});

export interface CommitParts {
  readonly places: ExportPlaces;
  readonly workspaceId: string;
  readonly signer: ExportSigner;
  readonly disk: Disk;
  readonly log: Logger;
  readonly makeImmutable?: ((path: string) => Promise<void>) | undefined;
}

/** Notes what is to be done, and does it. The drafts are whole and synced. */
export async function commit(parts: CommitParts, pending: Pending): Promise<void> {
  await replaceFile(parts.disk, parts.places.pending, Buffer.from(JSON.stringify(pending)));
  await carryOut(parts, pending);
}

/** Does what a crash left undone; true when there was something. */
export async function finishPending(parts: CommitParts): Promise<boolean> {
  const bytes = await readSmall(parts.places.pending, MAX_PENDING_BYTES);
  if (bytes === undefined) return false;
  await carryOut(parts, pendingSchema.parse(JSON.parse(bytes.toString('utf8'))));
  return true;
}

/** Every step may have been done before. */
async function carryOut(parts: CommitParts, { manifestBytes, lines, head, files }: Pending): Promise<void> {
  const { places, disk, signer, workspaceId } = parts;
  for (const { draft, path, sha256 } of files) {
    await makeFolders(disk, places.folder, dirname(path));
    await giveName(disk, { draft: join(places.unfinished, draft), path: join(places.folder, path), sha256 });
    await tryImmutable(parts, join(places.folder, path));
  }
  await appendLines(disk, places.manifest, manifestBytes, Buffer.from(lines));
  await replaceFile(disk, places.head, Buffer.from(writeHeadNote(head, workspaceId, signer)));
  await writeOwnHead(disk, places, head);
  await disk.remove(places.pending);
  await disk.syncFolder(dirname(places.pending));
}

async function giveName(disk: Disk, { draft, path, sha256 }: { draft: string; path: string; sha256: string }): Promise<void> {
  const isThere = await exists(path);
  if (isThere && (await hashFile(path)).sha256 !== sha256) throw nameTaken(path);
  if (!isThere && !(await exists(draft))) throw draftLost(path, draft);
  if (!isThere) await linkOrRename(disk, draft, path);
  await disk.remove(draft);
  await disk.syncFolder(dirname(path));
}

async function linkOrRename(disk: Disk, draft: string, path: string): Promise<void> {
  try {
    await disk.link(draft, path);
  } catch (cause) {
    if (!NO_LINKS.has((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
    await disk.rename(draft, path);
  }
}

async function tryImmutable({ makeImmutable, log }: CommitParts, path: string): Promise<void> {
  try {
    await makeImmutable?.(path);
  } catch (error) {
    log.warn({ path, reason: messageOf(error) }, 'an exported file could not be made immutable; it is exported all the same');
  }
}

/** Adds what is missing of `lines` behind the first `before` bytes. */
async function appendLines(disk: Disk, path: string, before: number, lines: Buffer): Promise<void> {
  const found: Buffer[] = [];
  for await (const piece of readPieces(path, before, before + lines.length + 1)) found.push(Buffer.from(piece));
  const tail = Buffer.concat(found);
  let same = 0;
  while (same < tail.length && same < lines.length && tail[same] === lines[same]) same += 1;
  // A power cut may leave zeros where bytes were to be.
  if (tail.subarray(same).some((byte) => byte !== 0)) throw notOurs(path);
  const file = await disk.append(path);
  try {
    if (same < tail.length) await file.truncate(before + same);
    await file.write(lines.subarray(same));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Notes on our own disk which line was written last. */
export async function writeOwnHead(disk: Disk, places: ExportPlaces, head: ManifestHead): Promise<void> {
  await replaceFile(disk, places.ownHead, Buffer.from(`${formatHead(head)}\n`));
}

/** The last line that we know of; undefined when there never was an export here. */
export async function readOwnHead(places: ExportPlaces): Promise<ManifestHead | undefined> {
  const text = (await readSmall(places.ownHead, 1024))?.toString('utf8').trimEnd();
  if (text === undefined) return undefined;
  const head = readHead(text);
  if (head) return head;
  throw new RelayError(
    'relay.local-workspace.export-damaged',
    `${places.ownHead} does not hold the last line of the export. Restore it, or remove it to go on with the export as it is.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

function nameTaken(path: string): RelayError {
  return new RelayError(
    'relay.local-workspace.export-name-taken',
    `${path} is there already and is not what was to be written. Exports overwrite nothing: look who put it there, and move it away.`,
  );
}

function draftLost(path: string, draft: string): RelayError {
  return new RelayError(
    'relay.local-workspace.export-draft-lost',
    `The export of ${path} was under way and its draft ${draft} is gone. Put it back, or remove pending.json of this export to export these rows anew.`,
  );
}

function notOurs(path: string): RelayError {
  return new RelayError(
    'relay.local-workspace.export-damaged',
    `${path} has bytes at its end that no export wrote. Look at it with: relay local-workspace export verify`,
  );
}
