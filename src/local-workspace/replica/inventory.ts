/**
 * What the replica has, with hashes: `.relay-inventory`, a line for each file that came or went. A file is entered after it is on stable storage, so
 * a file that is not entered is one whose copy was not finished.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { type Disk, type DiskFile, replaceFile } from '../private-storage/place/disk.ts';
import { readPieces } from '../private-storage/place/read-file.ts';
import type { SourceFile } from './source.ts';

const NAME = '.relay-inventory';
/** So many lines more than files, and the inventory is written anew. */
const SLACK = 10_000;

/** A file of the replica. */
export interface InventoryEntry extends SourceFile {
  /** The path that it has in a data folder, where that is another one. */
  readonly as?: string | undefined;
}

const lineSchema = z.union([
  z.strictObject({ path: z.string(), bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/), as: z.string().optional() }),
  z.strictObject({ path: z.string(), removed: z.literal(true) }),
]);

/** What a replica's inventory says; lines that cannot be read are left out. */
export async function readInventory(folder: string): Promise<{ readonly files: Map<string, InventoryEntry>; readonly lines: number }> {
  const files = new Map<string, InventoryEntry>();
  let lines = 0;
  for await (const text of linesOf(join(folder, NAME))) {
    const line = lineSchema.safeParse(parse(text)).data;
    lines += 1;
    if (!line) continue;
    if ('removed' in line) files.delete(line.path);
    else files.set(line.path, line);
  }
  return { files, lines };
}

export interface Inventory {
  get(path: string): InventoryEntry | undefined;
  entries(): InventoryEntry[];
  /** Returns when it is on stable storage. */
  enter(file: InventoryEntry): Promise<void>;
  strike(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the inventory for writing; one that has many lines of the past, or a line that a crash left unfinished, is written anew first. */
export async function openInventory(disk: Disk, folder: string): Promise<Inventory> {
  const { files, lines } = await readInventory(folder);
  if (lines !== files.size) await rewrite(disk, folder, files);
  let spare = 0;
  let file: DiskFile = await disk.append(join(folder, NAME));

  const add = async (line: object): Promise<void> => {
    await file.write(Buffer.from(`${JSON.stringify(line)}\n`));
    await file.sync();
    spare += 1;
    if (spare < files.size + SLACK) return;
    await file.close();
    await rewrite(disk, folder, files);
    file = await disk.append(join(folder, NAME));
    spare = 0;
  };

  return {
    get: (path) => files.get(path),
    entries: () => [...files.values()],
    async enter({ path, bytes, sha256, as }) {
      files.set(path, { path, bytes, sha256, as });
      await add({ path, bytes, sha256, as });
    },
    async strike(path) {
      if (files.delete(path)) await add({ path, removed: true });
    },
    close: () => file.close(),
  };
}

async function rewrite(disk: Disk, folder: string, files: ReadonlyMap<string, InventoryEntry>): Promise<void> {
  await replaceFile(disk, join(folder, NAME), Buffer.from([...files.values()].map((file) => `${JSON.stringify(file)}\n`).join('')));
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let held = '';
  try {
    for await (const piece of readPieces(path)) {
      // A piece may end within a character: bytes stay bytes until the line is whole.
      const lines = (held + piece.toString('latin1')).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) yield Buffer.from(line, 'latin1').toString('utf8');
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
  // What stands behind the last line break counts as a line, so that it is noticed.
  if (held !== '') yield held;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
