import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, writeFileAtomic } from '../files.ts';
import type { Logger } from '../logger.ts';
import { type QueueName, readQueueFile, writeQueueFile, writeQueueName } from './queue-file.ts';
import type { UploadBody } from './upload-body.ts';

/** A small file takes a whole block of the disk: sizes are counted in these. */
const BLOCK_BYTES = 4096;
/** Files kept in each folder of things put aside; the oldest go first. */
const MAX_ASIDE = 100;

/** The queue's files: one for each batch, and two folders for what is put aside. */
export interface QueueFolder {
  /** The files there are, in the order of their sequence, with the bytes of disk they take. */
  list(): Promise<{ file: string; bytes: number }[]>;
  /** Bytes of disk that `write` takes for this body. */
  bytesFor(body: UploadBody): number;
  /** Stores a batch durably. Throws `relay.agent.queue-unwritable`. */
  write(name: QueueName, body: UploadBody): Promise<void>;
  /** The deflated body; undefined when the file is damaged or gone. */
  read(name: QueueName): Promise<Buffer | undefined>;
  remove(name: QueueName): Promise<void>;
  /** Moves a file into the subfolder, where an operator can look at it; the subfolder keeps the last hundred. Logs when it cannot. */
  putAside(file: string, subfolder: 'refused' | 'unreadable'): Promise<void>;
}

/** Opens the folder, and removes the drafts that a crash left there: their batches were never counted as stored. */
export async function openQueueFolder(folder: string, log: Logger): Promise<QueueFolder> {
  await makePrivateFolder(folder);
  for (const draft of (await filesIn(folder)).filter((name) => name.startsWith('.'))) await rm(join(folder, draft), { force: true });
  const pathOf = (name: QueueName): string => join(folder, writeQueueName(name));

  return {
    async list() {
      const files = await filesIn(folder);
      return await Promise.all(files.sort().map(async (file) => ({ file, bytes: inBlocks((await stat(join(folder, file))).size) })));
    },
    bytesFor: ({ body, records }) => inBlocks(writeQueueFile(body, records).length),
    async write(name, { body, records }) {
      try {
        await writeFileAtomic(pathOf(name), writeQueueFile(body, records));
      } catch (cause) {
        throw unwritable(folder, cause);
      }
    },
    async read(name) {
      const content = await readFileIfAny(pathOf(name)).catch(() => undefined);
      return content && readQueueFile(content);
    },
    remove: (name) => rm(pathOf(name), { force: true }),
    putAside: (file, subfolder) =>
      moveInto(folder, file, subfolder).catch((thrown) => log.warn({ file }, `the file could not be put aside: ${messageOf(thrown)}`)),
  };
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((item) => item.isFile()).map((item) => item.name);
}

async function moveInto(folder: string, file: string, subfolder: string): Promise<void> {
  const target = join(folder, subfolder);
  await makePrivateFolder(target);
  await rename(join(folder, file), join(target, file));
  const surplus = (await readdir(target)).sort().slice(0, -MAX_ASIDE);
  await Promise.all(surplus.map((old) => rm(join(target, old), { force: true })));
}

function inBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function unwritable(folder: string, cause: unknown): RelayError {
  const message = `A batch could not be written to the queue in ${folder}. Check the disk's free space and the folder's owner.`;
  return new RelayError('relay.agent.queue-unwritable', message, { cause });
}
