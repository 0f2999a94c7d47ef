/** Where the audit log is kept: `<folder>/audit-<number of the first line>.jsonl`, in the order of their names. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^audit-(\d{12})\.jsonl$/;
const LINE_BREAK = 0x0a;

export interface AuditFile {
  readonly name: string;
  readonly path: string;
  readonly firstNumber: number;
}

/** The file whose first line has this number. */
export function auditFile(folder: string, firstNumber: number): AuditFile {
  const name = `audit-${String(firstNumber).padStart(12, '0')}.jsonl`;
  return { name, path: join(folder, name), firstNumber };
}

/** The log's files, the oldest first; none when there is no folder. */
export async function listAuditFiles(folder: string): Promise<AuditFile[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
  return names
    .map((name) => NAME.exec(name))
    .flatMap((found) => (found ? [auditFile(folder, Number(found[1]))] : []))
    .sort((a, b) => a.firstNumber - b.firstNumber);
}

/** The lines of a file without their line breaks, and what stands behind the last line break. */
export interface FileLines {
  readonly lines: readonly Buffer[];
  /** A line that was not finished; empty in a whole file. */
  readonly rest: Buffer;
}

export async function readLines(path: string): Promise<FileLines> {
  const bytes = await readFile(path);
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(LINE_BREAK); end >= 0; end = bytes.indexOf(LINE_BREAK, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return { lines, rest: bytes.subarray(from) };
}
