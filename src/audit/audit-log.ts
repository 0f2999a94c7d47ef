/**
 * The audit log: who did what, on what, from where, and what came of it. Lines are only ever added, each synced before the action is answered.
 *
 * Invariant: the log never closes over a gap. A start goes on after the last line that the note of the head knows, even when that line is gone:
 * what was cut off stays visible for as long as the log is kept.
 */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { makePrivateFolder, syncFolderNow, writeFileAtomic } from '../files.ts';
import type { Logger } from '../logger.ts';
import { type AuditFile, auditFile, listAuditFiles, readLines } from './audit-files.ts';
import { type AuditKey, makeAuditKey, readAuditKey } from './audit-key.ts';
import type { AuditEvent, EnterAudit } from './entry.ts';
import { readHeadNote, writeHeadNote } from './head-note.ts';
import { type Head, NO_SEAL, readLine, writeLine } from './line.ts';

const FILE_BYTES = 8 * 1024 * 1024;
const MAX_TEXT_CHARS = 1_000;
const RELAY: Pick<AuditEvent, 'actor' | 'from'> = { actor: { kind: 'system', name: 'relay' }, from: 'relay' };

export interface AuditLogParts {
  readonly folder: string;
  readonly keyFile: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** Told of every entry that is on disk. */
  readonly onEntry?: (event: AuditEvent) => void;
  /** Told of every entry that could not be written. */
  readonly onFailure?: () => void;
  /** A file takes no more lines at this size, nor in the next month. */
  readonly fileBytes?: number;
}

export interface AuditLog {
  readonly enter: EnterAudit;
  /** The last line. */
  head(): Head;
  close(): void;
}

/** Where a log ends. */
interface End {
  readonly head: Head;
  /** What is wrong there. */
  readonly findings: readonly string[];
  /** The last file, when it may take more lines. */
  readonly file?: { readonly file: AuditFile; readonly bytes: number; readonly month: string } | undefined;
}

/** Opens the log, or begins it. What is wrong with its end is said and entered; it never keeps the relay from starting. */
export async function openAuditLog(parts: AuditLogParts): Promise<AuditLog> {
  const { folder, keyFile, log } = parts;
  await makePrivateFolder(folder);
  const isNewKey = await makeAuditKey(keyFile);
  const key = await readAuditKey(keyFile, (message) => log.warn(message));
  const end = await findEnd(folder, key);
  const writer = createWriter(parts, key, end);
  const hasLostKey = isNewKey && end.head.number > 0;
  const findings = hasLostKey ? ['the key that sealed the lines before is gone; a new one seals what comes'] : end.findings;
  for (const detail of findings) {
    log.error({ folder, detail }, 'the audit log is not as it was left; see: relay audit verify');
    writer.enter({ ...RELAY, action: 'audit.repaired', on: 'audit log', result: 'done', detail });
  }
  log.info({ ...writer.head() }, 'the audit log is open; this is its last line');
  return writer;
}

async function findEnd(folder: string, key: AuditKey): Promise<End> {
  const last = (await listAuditFiles(folder)).at(-1);
  const end: End = last ? await readEnd(last, key) : { head: { number: 0, seal: NO_SEAL }, findings: [] };
  const note = await readHeadNote(folder, key);
  if (typeof note === 'string') return end.head.number === 0 ? end : { ...end, findings: [...end.findings, `the note of its last line was ${note}`] };
  if (note.number <= end.head.number) return end;
  return { ...end, head: note, findings: [...end.findings, `the lines after ${end.head.number} up to ${note.number} are gone`] };
}

// Complete lines stay as they are, whatever they say.
async function readEnd(file: AuditFile, key: AuditKey): Promise<End> {
  const { lines, rest } = await readLines(file.path);
  const read = lines.map((line) => readLine(line, key));
  const last = read.findLast((line) => line?.isSealed) ?? read.findLast((line) => line !== undefined);
  const head = last ? { number: last.entry.number, seal: last.seal } : { number: file.firstNumber - 1, seal: NO_SEAL };
  const findings = lines.length > 0 && !read.at(-1)?.isSealed ? [`the last line of ${file.name} is not as it was written`] : [];
  const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
  const reopened = { file, bytes, month: last?.entry.at.slice(0, 7) ?? '' };
  return rest.length === 0 ? { head, findings, file: reopened } : await setAside({ head, findings, file: reopened }, rest);
}

// A line that was not finished was never answered: it is what a crash leaves.
async function setAside(end: End, rest: Buffer): Promise<End> {
  const { head, findings, file } = end;
  if (!file) return end;
  try {
    await writeFileAtomic(`${file.file.path}.unfinished-${head.number + 1}`, rest);
    await truncate(file.file.path, file.bytes);
    return { head, file, findings: [...findings, `${rest.length} bytes of a line that was not finished were set aside`] };
  } catch (error) {
    return { head, findings: [...findings, `${rest.length} bytes of a line that was not finished could not be set aside: ${messageOf(error)}`] };
  }
}

interface OpenFile {
  readonly handle: number;
  readonly month: string;
  bytes: number;
  /** A write failed: what stands behind `bytes` must go. */
  isTorn: boolean;
}

function createWriter({ folder, clock, log, onEntry, onFailure, fileBytes = FILE_BYTES }: AuditLogParts, key: AuditKey, end: End): AuditLog {
  let head = end.head;
  let file: OpenFile | undefined;
  let reopened = end.file;
  let missed = 0;

  const openFile = (month: string): OpenFile => {
    if (reopened && (reopened.month !== month || reopened.bytes >= fileBytes)) reopened = undefined;
    const { path } = reopened?.file ?? auditFile(folder, head.number + 1);
    file = { handle: openSync(path, 'a', 0o600), month, bytes: reopened?.bytes ?? 0, isTorn: false };
    reopened = undefined;
    syncFolderNow(folder);
    return file;
  };

  const closeFile = (): void => {
    if (!file) return;
    if (file.isTorn) ftruncateSync(file.handle, file.bytes);
    closeSync(file.handle);
    file = undefined;
  };

  const append = (event: AuditEvent): void => {
    const at = new Date(clock.now()).toISOString();
    const month = at.slice(0, 7);
    if (file && (file.isTorn || file.month !== month || file.bytes >= fileBytes)) closeFile();
    const to = file ?? openFile(month);
    const { line, seal } = writeLine({ number: head.number + 1, at, ...clipped(event) }, head.seal, key);
    const bytes = Buffer.from(`${line}\n`);
    // After a failed sync nobody knows what is on disk: the file goes back to where it was known, and takes no more.
    to.isTorn = true;
    for (let written = 0; written < bytes.length; ) written += writeSync(to.handle, bytes, written);
    fdatasyncSync(to.handle);
    to.isTorn = false;
    to.bytes += bytes.length;
    head = { number: head.number + 1, seal };
    // From the first line on the note is there: without it a cut could not be told from a log that never had one.
    note(head.number === 1);
    onEntry?.(event);
  };

  const note = (durably: boolean): void => {
    try {
      writeHeadNote(folder, head, { key, durably });
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "the note of the audit log's last line could not be written; it comes with the next line");
    }
  };

  const enter: EnterAudit = (event) => {
    try {
      if (missed > 0) append({ ...RELAY, action: 'audit.missed', on: 'audit log', result: 'failed', detail: `${missed} entries could not be written` });
      missed = 0;
      append(event);
    } catch (error) {
      missed += 1;
      onFailure?.();
      log.error({ ...event, reason: messageOf(error) }, 'an entry of the audit log could not be written; look at the disk of the data folder');
    }
  };

  return {
    enter,
    head: () => head,
    close() {
      closeFile();
      if (head.number > 0) note(true);
      log.info({ ...head }, 'the audit log is closed; this was its last line');
    },
  };
}

function clipped(event: AuditEvent): AuditEvent {
  return { ...event, on: event.on.slice(0, MAX_TEXT_CHARS), detail: event.detail?.slice(0, MAX_TEXT_CHARS) };
}
