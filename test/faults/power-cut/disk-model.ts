/**
 * What a disk holds after a power cut, as POSIX allows it and no kinder: of a file only what was synced is sure to be there, of a folder only
 * the entries that were there when the folder was synced. Of all that came later any part may be there: nothing, everything, single sectors,
 * a longer file without its content, a removal without the creation before it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Operation } from './trace.ts';

const SECTOR_BYTES = 512;

type FileChange = Extract<Operation, { kind: 'write' | 'truncate' }>;

interface File {
  readonly type: 'file';
  durable: FileChange[];
  pending: FileChange[];
}

interface EntryChange {
  readonly endedAt: number;
  /** Names to take away, then the name to put in: a rename does both at once. */
  readonly remove?: string;
  readonly add?: { readonly name: string; readonly node: Node };
}

interface Folder {
  readonly type: 'folder';
  /** As programs see it. */
  readonly entries: Map<string, Node>;
  readonly durable: Map<string, Node>;
  pending: EntryChange[];
}

type Node = File | Folder;

/** What a cut leaves of a folder: the content of each file by its path from there; undefined for a folder. */
export type Survivors = ReadonlyMap<string, Buffer | undefined>;

/** What is left of `folder` when the power goes at `cutAt`. `random` chooses among what may be. */
export function cutPower(operations: readonly Operation[], folder: string, cutAt: number, random: () => number): Survivors {
  const root = emptyFolder();
  for (const operation of operations) if (operation.beganAt <= cutAt) apply(root, folder, operation, cutAt);
  const left = new Map<string, Buffer | undefined>();
  survive(root, '', left, random);
  return left;
}

/** Writes survivors into an empty folder. */
export async function writeSurvivors(survivors: Survivors, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [path, content] of survivors) {
    if (content === undefined) await mkdir(join(folder, path), { mode: 0o700 });
    else await writeFile(join(folder, path), content, { mode: 0o600 });
  }
}

function emptyFolder(): Folder {
  return { type: 'folder', entries: new Map(), durable: new Map(), pending: [] };
}

function apply(root: Folder, top: string, operation: Operation, cutAt: number): void {
  if (operation.kind !== 'say') applyChange(root, top, operation, cutAt);
}

function applyChange(root: Folder, top: string, operation: Exclude<Operation, { kind: 'say' }>, cutAt: number): void {
  const path = operation.path.slice(top.length);
  if (path === '') {
    if (operation.kind === 'sync' && operation.endedAt <= cutAt) syncFolder(root, operation.beganAt);
    return;
  }
  const parent = find(root, dirname(path));
  // A file that was deleted while it was open; or one whose folder is gone.
  if (parent?.type !== 'folder') return;
  const name = basename(path);
  const node = parent.entries.get(name);
  switch (operation.kind) {
    case 'create':
      if (!node) addEntry(parent, name, { type: 'file', durable: [], pending: [] }, operation.endedAt);
      return;
    case 'make-folder':
      if (!node) addEntry(parent, name, emptyFolder(), operation.endedAt);
      return;
    case 'write':
    case 'truncate':
      if (node?.type === 'file') node.pending.push(operation);
      return;
    case 'remove':
      parent.entries.delete(name);
      parent.pending.push({ endedAt: operation.endedAt, remove: name });
      return;
    case 'rename':
      rename(parent, { name, to: basename(operation.to), endedAt: operation.endedAt, sameFolder: dirname(operation.to) === dirname(operation.path) });
      return;
    case 'sync':
      if (!node || operation.endedAt > cutAt) return;
      if (node.type === 'folder') syncFolder(node, operation.beganAt);
      else syncFile(node, operation.beganAt);
      return;
  }
}

function addEntry(parent: Folder, name: string, node: Node, endedAt: number): void {
  parent.entries.set(name, node);
  parent.pending.push({ endedAt, add: { name, node } });
}

function rename(parent: Folder, how: { readonly name: string; readonly to: string; readonly endedAt: number; readonly sameFolder: boolean }): void {
  const node = parent.entries.get(how.name);
  if (!how.sameFolder) throw new Error(`the model of the disk knows no renames between folders: ${how.name}`);
  if (!node) return;
  parent.entries.delete(how.name);
  parent.entries.set(how.to, node);
  parent.pending.push({ endedAt: how.endedAt, remove: how.name, add: { name: how.to, node } });
}

function find(root: Folder, path: string): Node | undefined {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reduce<Node | undefined>((node, name) => (node?.type === 'folder' ? node.entries.get(name) : undefined), root);
}

// What was over before the sync began is durable; what ran beside it may be or not.
function syncFile(file: File, beganAt: number): void {
  file.durable.push(...file.pending.filter(({ endedAt }) => endedAt <= beganAt));
  file.pending = file.pending.filter(({ endedAt }) => endedAt > beganAt);
}

function syncFolder(folder: Folder, beganAt: number): void {
  for (const change of folder.pending) if (change.endedAt <= beganAt) enter(folder.durable, change);
  folder.pending = folder.pending.filter(({ endedAt }) => endedAt > beganAt);
}

function enter(entries: Map<string, Node>, { remove, add }: EntryChange): void {
  if (remove !== undefined) entries.delete(remove);
  if (add) entries.set(add.name, add.node);
}

function survive(folder: Folder, path: string, left: Map<string, Buffer | undefined>, random: () => number): void {
  const entries = new Map(folder.durable);
  for (const change of someOf(folder.pending, random)) enter(entries, change);
  for (const [name, node] of entries) {
    const at = join(path, name);
    left.set(at, node.type === 'file' ? contentOf(node, random) : undefined);
    if (node.type === 'folder') survive(node, at, left, random);
  }
}

/** None, all, the first few (a journal that keeps the order), or any of them. */
function someOf<T>(changes: readonly T[], random: () => number): readonly T[] {
  const way = random();
  if (way < 0.25) return [];
  if (way < 0.5) return changes;
  if (way < 0.75) return changes.slice(0, Math.floor(random() * (changes.length + 1)));
  return changes.filter(() => random() < 0.5);
}

function contentOf({ durable, pending }: File, random: () => number): Buffer {
  const isTorn = random() < 0.5;
  const content = durable.reduce(change, Buffer.alloc(0));
  return someOf(pending, random).reduce((bytes, one) => (isTorn && one.kind === 'write' ? tear(bytes, one, random) : change(bytes, one)), content);
}

function change(content: Buffer, one: FileChange): Buffer {
  if (one.kind === 'truncate') return resize(content, one.size);
  const bytes = content.length < one.offset + one.bytes.length ? resize(content, one.offset + one.bytes.length) : content;
  one.bytes.copy(bytes, one.offset);
  return bytes;
}

function resize(content: Buffer, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  content.copy(bytes);
  return bytes;
}

// Each sector reached the disk or not; where it did not, there is what was there before, zeros, or what another file left. The length is known or not.
function tear(content: Buffer, { offset, bytes }: Extract<FileChange, { kind: 'write' }>, random: () => number): Buffer {
  const grown = content.length < offset + bytes.length ? resize(content, offset + bytes.length) : Buffer.from(content);
  const isStale = random() < 0.3;
  for (let at = offset; at < offset + bytes.length; at = Math.min(offset + bytes.length, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES)) {
    const end = Math.min(offset + bytes.length, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (random() < 0.5) bytes.copy(grown, at, at - offset, end - offset);
    else if (isStale) grown.fill(Math.floor(random() * 256), Math.max(at, content.length), Math.max(end, content.length));
  }
  if (random() < 0.7) return grown;
  return grown.subarray(0, Math.max(content.length, Math.floor(random() * grown.length)));
}
