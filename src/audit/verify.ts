/** Says whether the audit log is as it was written, from its files and its key alone: no relay is asked. */
import { type AuditFile, listAuditFiles, readLines } from './audit-files.ts';
import type { AuditKey } from './audit-key.ts';
import { readHeadNote } from './head-note.ts';
import { type Head, NO_SEAL, type ReadLine, readLine } from './line.ts';

/** What is wrong with a line, the first one at fault. */
export interface AuditFault {
  readonly fault: 'changed' | 'inserted' | 'removed' | 'reordered' | 'repeated' | 'cut' | 'no-note' | 'other-key' | 'other-history';
  /** The line's number. */
  readonly number: number;
  readonly file: string;
  /** Its place in the file, from 1; undefined when it is not there. */
  readonly place: number | undefined;
  readonly message: string;
}

export interface Verification {
  /** Undefined when all is as it was written. */
  readonly fault: AuditFault | undefined;
  readonly lines: number;
  /** The last line that is as it was written. */
  readonly head: Head;
  /** What is no fault but worth knowing: repairs, what could not be checked. */
  readonly remarks: readonly string[];
}

/** A line with where it stands. */
interface Place {
  readonly file: AuditFile;
  readonly place: number;
  readonly line: ReadLine | undefined;
}

/** Verifies all files of the folder. `expected` is a last line somebody noted elsewhere: what was cut off since is found by it alone. */
export async function verifyAuditLog(folder: string, key: AuditKey, expected?: Head): Promise<Verification> {
  // Before the lines: the log may grow meanwhile.
  const note = await readHeadNote(folder, key);
  const { places, remarks } = await readAll(folder, key);
  const { fault, good } = findFault(places);
  const last = good.at(-1);
  const head = last?.line ? { number: last.line.entry.number, seal: last.line.seal } : { number: 0, seal: NO_SEAL };
  const repairs = good.flatMap(({ line }) =>
    line && isOfInterest(line) ? [`line ${line.entry.number}, ${line.entry.at}: ${line.entry.action}: ${line.entry.detail}`] : [],
  );
  const noted = typeof note === 'string' ? [] : [note];
  const cut = [...noted, ...(expected ? [expected] : [])].map((wanted) => cutOf(wanted, good, folder)).find((found) => found !== undefined);
  return { fault: fault ?? cut ?? noteFault(note, last), lines: places.length, head, remarks: [...remarks, ...repairs] };
}

async function readAll(folder: string, key: AuditKey): Promise<{ readonly places: readonly Place[]; readonly remarks: readonly string[] }> {
  const places: Place[] = [];
  const remarks: string[] = [];
  for (const file of await listAuditFiles(folder)) {
    const { lines, rest } = await readLines(file.path);
    for (const [at, bytes] of lines.entries()) places.push({ file, place: at + 1, line: readLine(bytes, key) });
    if (rest.length > 0) remarks.push(`${file.name} ends with ${rest.length} bytes of a line that was not finished, as a crash leaves it`);
  }
  return { places, remarks };
}

function findFault(places: readonly Place[]): { readonly fault: AuditFault | undefined; readonly good: readonly Place[] } {
  let before: Head = startOf(places);
  for (const [at, place] of places.entries()) {
    const fault = faultAt(places, at, before);
    if (fault) return { fault, good: places.slice(0, at) };
    if (place.line) before = { number: place.line.entry.number, seal: place.line.seal };
  }
  return { fault: undefined, good: places };
}

/** Where the first file must go on: at the very beginning, or after what was removed for its age, which an entry then tells. */
function startOf(places: readonly Place[]): Head {
  const first = places[0]?.line;
  if (!first) return { number: 0, seal: NO_SEAL };
  const head = { number: first.entry.number - 1, seal: first.before };
  const isTold = places.some(({ line }) => line?.isSealed && isRemovalUpTo(line, head));
  return isTold ? head : { number: 0, seal: NO_SEAL };
}

/** What the entry about removed files says, so that a later verification finds where the log begins. */
export function removalUpTo({ number, seal }: Head): { readonly on: string; readonly detail: string } {
  return { on: `lines up to ${number}`, detail: `older than audit.keep; the last seal was ${seal}` };
}

function isRemovalUpTo({ entry }: ReadLine, head: Head): boolean {
  const told = removalUpTo(head);
  return entry.action === 'audit.remove' && entry.on === told.on && entry.detail === told.detail;
}

function faultAt(places: readonly Place[], at: number, before: Head): AuditFault | undefined {
  const { file, place, line } = places[at] as Place;
  const wanted = before.number + 1;
  const faultOf = (fault: AuditFault['fault'], number: number, message: string): AuditFault => ({ fault, number, file: file.name, place, message });
  if (!line?.isSealed) {
    const next = places[at + 1]?.line;
    if (next?.isSealed && follows(next, before)) return faultOf('inserted', wanted, 'this line was never written by the relay');
    if (line && isOtherKey(line, places))
      return faultOf('other-key', wanted, `this line and those after it are sealed with key ${line.keyId}: restore that key`);
    return faultOf('changed', wanted, 'this line is not as it was written');
  }
  if (follows(line, before)) return undefined;
  const { number } = line.entry;
  if (places.slice(0, at).some((earlier) => earlier.line?.seal === line.seal)) return faultOf('repeated', number, `line ${number} stands here a second time`);
  if (number <= wanted) return faultOf('other-history', number, `this line was written after another line ${number - 1}: two copies of the log were mixed`);
  const missing = places.slice(at + 1).find((later) => later.line?.isSealed && later.line.entry.number === wanted);
  if (missing) return faultOf('reordered', number, `line ${number} stands where line ${wanted} belongs, which stands further down`);
  const which = number - 1 === wanted ? `line ${wanted} is` : `lines ${wanted} to ${number - 1} are`;
  return { fault: 'removed', number: wanted, file: file.name, place: undefined, message: `${which} gone` };
}

function follows({ entry, before }: ReadLine, head: Head): boolean {
  return entry.number === head.number + 1 && before === head.seal;
}

/** Nothing is sealed with this key: then it is the wrong one, and nobody changed each line. */
function isOtherKey({ keyId }: ReadLine, places: readonly Place[]): boolean {
  return !places.some(({ line }) => line?.isSealed && line.keyId === keyId);
}

function cutOf({ number, seal }: Head, good: readonly Place[], folder: string): AuditFault | undefined {
  if (number === 0 || good.some(({ line }) => line?.entry.number === number && line.seal === seal)) return undefined;
  const last = good.at(-1);
  const have = last?.line?.entry.number ?? 0;
  const first = good[0]?.line?.entry.number ?? 1;
  if (number < first) return undefined;
  const message = have < number ? `the log ends with line ${have}, but line ${number} was written` : `line ${number} is not the one that was noted`;
  return {
    fault: have < number ? 'cut' : 'other-history',
    number: have < number ? have + 1 : number,
    file: last?.file.name ?? folder,
    place: undefined,
    message,
  };
}

function noteFault(note: Head | string, last: Place | undefined): AuditFault | undefined {
  if (typeof note !== 'string' || !last?.line) return undefined;
  const message = `the note of the last line is ${note}, so that lines may have been cut off the end`;
  return { fault: 'no-note', number: last.line.entry.number, file: last.file.name, place: undefined, message };
}

function isOfInterest({ entry }: ReadLine): boolean {
  return entry.action === 'audit.repaired' || entry.action === 'audit.missed';
}
