import { join } from 'node:path';
import { listAuditFiles } from '../audit/audit-files.ts';
import type { Head } from '../audit/line.ts';
import { readFileIfAny } from '../files.ts';
import { type Member, stateMember } from './members.ts';

const FOLDER = 'audit';
const HEAD = 'head.json';
const LINE_BREAK = 0x0a;

/** Gathers the audit log of a relay that may be writing it: as far as its lines were finished. */
export async function gatherAudit(data: string): Promise<Member[]> {
  const folder = join(data, FOLDER);
  // The note first: one that names a line which was not copied would look as if somebody had cut it off.
  const members = await readAll(folder, [HEAD, 'configuration.json']);
  for (const { name } of await listAuditFiles(folder)) members.push(...(await readAll(folder, [name])).map(withWholeLines));
  return members;
}

/** The last line that the note beside the log names; undefined without a log. */
export async function auditHead(data: string): Promise<Head | undefined> {
  const text = (await readFileIfAny(join(data, FOLDER, HEAD)))?.toString();
  try {
    const { number, seal } = JSON.parse(text ?? '') as Head;
    return { number, seal };
  } catch {
    return undefined;
  }
}

// A file may go meanwhile, for its age.
async function readAll(folder: string, names: readonly string[]): Promise<Member[]> {
  const found: Member[] = [];
  for (const name of names) {
    const content = await readFileIfAny(join(folder, name));
    if (content) found.push({ name: stateMember(`${FOLDER}/${name}`), content });
  }
  return found;
}

// A line that is just being written was not answered yet.
function withWholeLines({ name, content }: Member): Member {
  return Buffer.isBuffer(content) ? { name, content: content.subarray(0, content.lastIndexOf(LINE_BREAK) + 1) } : { name, content };
}
