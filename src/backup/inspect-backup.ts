/** Reads a backup through, and writes nothing: what is found here is what may be restored. */
import { RelayError } from '../errors.ts';
import { DATABASE_HEAD_BYTES, layoutOf } from '../management-group/copy.ts';
import { readKeyRing } from '../workspace/key-ring.ts';
import { type OpenedFile, openFile } from './age-file.ts';
import { CONFIGURATION, MANIFEST, type Manifest, readManifest, type Sum } from './manifest.ts';
import { stateMember, stateOf } from './members.ts';
import { type OpenedMember, readArchive } from './read-archive.ts';
import { rootFingerprintIn } from './roots.ts';
import { AUDIT_KEY, DATABASE, KEY_RING } from './state-files.ts';

/** Keys and small files together; they are kept in memory. */
const MOST_BYTES_KEPT = 128 * 1024 * 1024;
const AUTHORITY = stateMember('authority/');

export interface InspectedBackup {
  readonly file: OpenedFile;
  readonly manifest: Manifest;
  readonly sums: readonly Sum[];
  /** Configuration, keys, roots and named files, in the clear. */
  readonly contents: ReadonlyMap<string, Buffer>;
  /** Of all that goes into the data folder. */
  readonly stateBytes: number;
}

/**
 * Checks every hash, whether this release can use what is in it, and whether that is a relay's whole state. Throws what reading throws,
 * `relay.backup.newer-format`, `relay.management-group.newer-file`, `relay.backup.bad-authority`, `relay.keys.unusable`.
 */
export async function inspectBackup(path: string, passphrase: string): Promise<InspectedBackup> {
  const file = await openFile(path, passphrase);
  const contents = new Map<string, Buffer>();
  let kept = 0;
  const keep = async ({ name, bytes, content }: OpenedMember, most = bytes): Promise<Buffer> => {
    kept += most;
    if (kept > MOST_BYTES_KEPT)
      throw new RelayError('relay.backup.unexpected-member', `The backup's keys and files have more than ${MOST_BYTES_KEPT} bytes. Nothing of it was used.`);
    const found = await firstBytes(content, most);
    contents.set(name, found);
    return found;
  };
  let manifest: Manifest | undefined;
  const sums = await readArchive(file, async (member) => {
    const { name } = member;
    // At once, before hours are spent on the rest.
    if (name === MANIFEST) manifest = readManifest((await keep(member)).toString());
    else if (name === stateMember(DATABASE)) layoutOf(await keep(member, DATABASE_HEAD_BYTES));
    else if (stateOf(name) === undefined || stateOf(name)?.isOwnSecret || name.startsWith(AUTHORITY) || name === stateMember(AUDIT_KEY)) await keep(member);
  });
  if (!manifest) throw incomplete(MANIFEST);
  checkWhole(manifest, contents);
  return { file, manifest, sums, contents, stateBytes: sums.reduce((sum, { name, bytes }) => sum + (stateOf(name) ? bytes : 0), 0) };
}

function checkWhole({ rootFingerprint, files }: Manifest, contents: ReadonlyMap<string, Buffer>): void {
  const wanted = [CONFIGURATION, ...[DATABASE, KEY_RING, AUDIT_KEY].map(stateMember), ...files.map(({ member }) => member)];
  const missing = wanted.find((name) => !contents.has(name));
  if (missing !== undefined) throw incomplete(missing);
  const found = rootFingerprintIn(contents);
  if (found !== rootFingerprint)
    throw new RelayError('relay.backup.bad-authority', `The backup's root is ${found}, and its ${MANIFEST} says ${rootFingerprint}. Take another backup.`);
  readKeyRing((contents.get(stateMember(KEY_RING)) as Buffer).toString());
}

function incomplete(name: string): RelayError {
  return new RelayError('relay.backup.damaged', `The backup has no ${name}. Take another backup.`);
}

async function firstBytes(content: AsyncIterable<Buffer>, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of { [Symbol.asyncIterator]: () => keptOpen(content) }) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= most) break;
  }
  return Buffer.concat(pieces).subarray(0, most);
}

// Leaving a loop early would end the content, whose rest must be read to know its hash.
function keptOpen(content: AsyncIterable<Buffer>): AsyncIterator<Buffer> {
  const pieces = content[Symbol.asyncIterator]();
  return { next: () => pieces.next() };
}
