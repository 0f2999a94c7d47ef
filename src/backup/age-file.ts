/** A file encrypted with a passphrase, in the age format (age-encryption.org/v1): the age program opens it too. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { Decrypter, Encrypter } from 'age-encryption';
import { RelayError } from '../errors.ts';

/** scrypt with 2^18 rounds: 256 MiB of memory and about two seconds, for each passphrase somebody tries. */
const WORK_FACTOR = 18;
const HEAD_BYTES = 4096;
const HEAD = /^age-encryption\.org\/v1\n-> scrypt [^\n]+\n[^\n]+\n--- [^\n]+\n/;

/** Encrypts what comes. `workFactor`: a lower one is for tests alone. */
export async function encrypt(plain: Readable, passphrase: string, workFactor: number = WORK_FACTOR): Promise<Readable> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  return Readable.fromWeb((await encrypter.encrypt(Readable.toWeb(plain) as ReadableStream<Uint8Array>)) as NodeReadableStream);
}

/** A file whose passphrase was right: it can be read as often as need be. */
export interface OpenedFile {
  readonly path: string;
  /** Its plain bytes. Throws `relay.backup.damaged`; what was changed or cut off further on fails while it is read. */
  read(): Promise<Readable>;
}

/** Tries the passphrase on such a file. Throws `relay.backup.unreadable`, `relay.backup.not-a-backup` and `relay.backup.wrong-passphrase`. */
export async function openFile(path: string, passphrase: string): Promise<OpenedFile> {
  const head = await readHead(path);
  const byPassphrase = new Decrypter();
  byPassphrase.addPassphrase(passphrase);
  let key: Uint8Array;
  try {
    key = await byPassphrase.decryptHeader(head);
  } catch (cause) {
    if (!/no identity matched/.test(String(cause))) throw notOne(path, cause);
    throw new RelayError(
      'relay.backup.wrong-passphrase',
      `This passphrase does not open ${path}: it is another one, or the file's first lines were changed. Nobody can help when a passphrase is lost.`,
    );
  }
  return {
    path,
    async read() {
      const byKey = new Decrypter();
      byKey.addIdentity({ unwrapFileKey: () => key });
      const file = createReadStream(path);
      try {
        return Readable.fromWeb((await byKey.decrypt(Readable.toWeb(file) as ReadableStream<Uint8Array>)) as NodeReadableStream);
      } catch (cause) {
        file.destroy();
        throw new RelayError('relay.backup.damaged', `The backup ${path} ends too early. Take another copy of it, or another backup.`, { cause });
      }
    },
  };
}

// Before the library sees the file: one without a line's end would be read into memory whole.
async function readHead(path: string): Promise<Buffer> {
  let start: Buffer;
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    start = buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw new RelayError('relay.backup.unreadable', `The backup ${path} cannot be read. Check that it is a file and that this user may read it.`, { cause });
  }
  const [head] = HEAD.exec(start.toString('latin1')) ?? [];
  if (head === undefined) throw notOne(path);
  return start.subarray(0, head.length);
}

function notOne(path: string, cause?: unknown): RelayError {
  return new RelayError(
    'relay.backup.not-a-backup',
    `${path} is not a backup that "relay backup" made: it does not begin as a file encrypted with a passphrase (age). Look whether the file was copied whole.`,
    cause === undefined ? {} : { cause },
  );
}
