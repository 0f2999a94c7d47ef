/** Reads what a segment file holds after a start: its groups by their headers, and what is damaged. Payloads are only read where damage is possible. */
import { type FileHandle, open } from 'node:fs/promises';
import { KEY_ID_BYTES, keyIdOf } from '../workspace/seal.ts';
import { decodeHeader, decodePrefix, findMagic, type GroupHeader, isWhole, PREFIX_BYTES, type Prefix } from './segment-format.ts';

const FIRST_READ_BYTES = 8 * 1024;
const SEARCH_BYTES = 1024 * 1024;

export interface FoundGroup {
  readonly header: GroupHeader;
  readonly offset: number;
  readonly prefix: Prefix;
}

/** A stretch of the file that is no group: a torn tail, or bytes that changed on disk. */
export interface DamagedStretch {
  readonly offset: number;
  readonly bytes: number;
}

export interface SegmentContent {
  readonly groups: readonly FoundGroup[];
  readonly damaged: readonly DamagedStretch[];
  readonly bytes: number;
}

/** Walks a segment from group to group. Damage ends nothing: the walk goes on at the next whole header. */
export async function scanSegment(path: string): Promise<SegmentContent> {
  const file = await open(path, 'r');
  try {
    const bytes = (await file.stat()).size;
    const groups: FoundGroup[] = [];
    const damaged: DamagedStretch[] = [];
    let offset = 0;
    while (offset < bytes) {
      const group = await readHeaderAt(file, offset, bytes);
      const next = group ? endOf(group) : await findHeader(file, offset + 1, bytes);
      if (group) groups.push(group);
      else damaged.push({ offset, bytes: next - offset });
      offset = next;
    }
    await setTornTailAside(file, groups, damaged);
    return { groups, damaged, bytes };
  } finally {
    await file.close();
  }
}

export function endOf(group: { readonly offset: number; readonly prefix: Prefix }): number {
  return group.offset + PREFIX_BYTES + group.prefix.headerBytes + group.prefix.payloadBytes;
}

// Only the last write can have been cut short, so only its payload is checked here; the others prove themselves when they are opened.
async function setTornTailAside(file: FileHandle, groups: FoundGroup[], damaged: DamagedStretch[]): Promise<void> {
  const last = groups.at(-1);
  if (!last) return;
  const payload = await readExactly(file, last.offset + PREFIX_BYTES + last.prefix.headerBytes, last.prefix.payloadBytes);
  if (isWhole(last.prefix, payload)) return;
  groups.pop();
  damaged.push({ offset: last.offset, bytes: endOf(last) - last.offset });
}

async function readHeaderAt(file: FileHandle, offset: number, fileBytes: number): Promise<FoundGroup | undefined> {
  let bytes = await readExactly(file, offset, FIRST_READ_BYTES);
  const prefix = decodePrefix(bytes);
  if (!prefix) return undefined;
  const wanted = PREFIX_BYTES + prefix.headerBytes;
  if (bytes.length < wanted) bytes = await readExactly(file, offset, wanted);
  const header = decodeHeader(prefix, bytes);
  if (!header || endOf({ offset, prefix }) > fileBytes) return undefined;
  const keyId = header.keyId ?? keyIdOf(await readExactly(file, offset + wanted, KEY_ID_BYTES));
  return { header: { ...header, keyId }, offset, prefix };
}

async function findHeader(file: FileHandle, from: number, fileBytes: number): Promise<number> {
  for (let start = from; start < fileBytes; start += SEARCH_BYTES - PREFIX_BYTES) {
    const bytes = await readExactly(file, start, SEARCH_BYTES);
    for (let at = findMagic(bytes, 0); at >= 0; at = findMagic(bytes, at + 1)) {
      if (await readHeaderAt(file, start + at, fileBytes)) return start + at;
    }
  }
  return fileBytes;
}

/** Reads up to `length` bytes; fewer only at the end of the file. */
export async function readExactly(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
