/**
 * Reads an archive from its first byte to its last, and believes none of it before: every member's name, kind and size are checked before a byte
 * of it is taken, and at the end every hash against the list of hashes.
 */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { RelayError } from '../errors.ts';
import type { OpenedFile } from './age-file.ts';
import { MANIFEST, readSums, SUMS, type Sum } from './manifest.ts';
import { mostBytes } from './members.ts';

const MOST_MEMBERS = 2_000_000;

type Entry = AsyncIterable<Buffer> & { readonly header: Header };

/** A member as it comes out of an archive. */
export interface OpenedMember {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Buffer>;
}

/** Told of each member, in their order. What it does not read of the content is passed over. Its errors end the reading. */
export type TakeMember = (member: OpenedMember) => Promise<void> | void;

/**
 * Reads a whole archive, and returns its members' hashes. Throws `relay.backup.damaged` and `relay.backup.unexpected-member`; what `take` was given up to then is not to be used.
 */
export async function readArchive(file: OpenedFile, take: TakeMember): Promise<readonly Sum[]> {
  const { path } = file;
  const plain = await file.read();
  const tar = extract();
  const flow = pipeline(plain, createGunzip(), tar);
  flow.catch(() => {});
  try {
    const { sums, listed } = await readMembers(tar as AsyncIterable<Entry>, take);
    // Its end as well: a file that was cut off behind the last member is not whole.
    await flow;
    compare(sums, listed, path);
    return sums;
  } catch (cause) {
    tar.destroy();
    if (cause instanceof RelayError) throw cause;
    throw new RelayError('relay.backup.damaged', `The backup ${path} was changed, or ends too early. Take another copy of it, or another backup.`, { cause });
  }
}

interface ReadMembers {
  readonly sums: readonly Sum[];
  /** The list of hashes that came with them. */
  readonly listed: string | undefined;
}

async function readMembers(tar: AsyncIterable<Entry>, take: TakeMember): Promise<ReadMembers> {
  const sums: Sum[] = [];
  const names = new Set<string>();
  let listed: string | undefined;
  for await (const entry of tar) {
    const { name, bytes } = checkedHeader(entry, names.size === 0);
    if (listed !== undefined) throw unexpected(name, `it stands behind ${SUMS}`);
    if (names.has(name)) throw unexpected(name, 'it is there twice');
    if (names.size >= MOST_MEMBERS) throw unexpected(name, `more than ${MOST_MEMBERS} came before it`);
    names.add(name);
    if (name === SUMS) listed = (await buffer(entry)).toString();
    else sums.push({ name, bytes, sha256: await takeHashed(entry, { name, bytes }, take) });
  }
  return { sums, listed };
}

// Before anything of it is read.
function checkedHeader({ header: { name, type, size } }: Entry, isFirst: boolean): { readonly name: string; readonly bytes: number } {
  if (type !== 'file') throw unexpected(name, `it is no file but a ${type}`);
  if (isFirst && name !== MANIFEST) throw unexpected(name, `the first member is always ${MANIFEST}`);
  const most = mostBytes(name);
  if (most === undefined) throw unexpected(name, 'no backup has a file of that name');
  if (size > most) throw unexpected(name, `it has ${size} bytes, and ${most} is the most it may have`);
  return { name, bytes: size };
}

async function takeHashed(entry: Entry, { name, bytes }: { readonly name: string; readonly bytes: number }, take: TakeMember): Promise<string> {
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const piece of entry) {
      hash.update(piece);
      yield piece;
    }
  }
  const content = hashed();
  await take({ name, bytes, content: { [Symbol.asyncIterator]: () => content } });
  for await (const _rest of content);
  return hash.digest('hex');
}

function compare(sums: readonly Sum[], list: string | undefined, path: string): void {
  if (list === undefined) throw damaged(path, `it has no ${SUMS}`);
  const listed = readSums(list);
  const changed = sums.find(({ name, sha256 }) => listed.get(name) !== sha256);
  if (changed) throw damaged(path, `${changed.name} is not as it was written`);
  if (listed.size !== sums.length) throw damaged(path, `${listed.size} files belong into it and ${sums.length} are there`);
}

function damaged(path: string, why: string): RelayError {
  return new RelayError('relay.backup.damaged', `The backup ${path} cannot be used: ${why}. Take another copy of it, or another backup.`);
}

function unexpected(name: string, why: string): RelayError {
  return new RelayError(
    'relay.backup.unexpected-member',
    `The backup holds ${JSON.stringify(name.slice(0, 100))}: ${why}. It was not made by "relay backup" of this release or an older one; nothing of it was used.`,
  );
}
