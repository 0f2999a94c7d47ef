import { rm } from 'node:fs/promises';
import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type AuditFile, listAuditFiles, readLines } from './audit-files.ts';
import type { AuditLog } from './audit-log.ts';
import { readLine } from './line.ts';
import { removalUpTo } from './verify.ts';

const LOOK_EVERY_MS = 24 * 60 * 60_000;

export interface RetentionParts {
  readonly folder: string;
  readonly audit: Pick<AuditLog, 'enter' | 'head'>;
  /** How long lines are kept, in milliseconds. */
  readonly keepMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Removes old files now and once a day. The function returned ends it. */
export async function startRetention(parts: RetentionParts): Promise<() => void> {
  const look = (): Promise<void> =>
    removeOldFiles(parts).catch((error: unknown) =>
      parts.log.warn({ reason: messageOf(error) }, 'old files of the audit log could not be removed; it is tried again in a day'),
    );
  await look();
  return every(parts.clock, LOOK_EVERY_MS, look);
}

/** Removes whole files whose youngest line is too old, once an entry names the last line that goes. The youngest file always stays. */
export async function removeOldFiles({ folder, audit, keepMs, clock }: RetentionParts): Promise<void> {
  const old: AuditFile[] = [];
  let last: Parameters<typeof removalUpTo>[0] | undefined;
  for (const file of (await listAuditFiles(folder)).slice(0, -1)) {
    const youngest = (await readLines(file.path)).lines.map((line) => readLine(line, undefined)).at(-1);
    if (!youngest || clock.now() - Date.parse(youngest.entry.at) < keepMs) break;
    old.push(file);
    last = { number: youngest.entry.number, seal: youngest.seal };
  }
  if (!last) return;
  const before = audit.head().number;
  audit.enter({ actor: { kind: 'system', name: 'relay' }, action: 'audit.remove', ...removalUpTo(last), from: 'relay', result: 'done' });
  // Without the entry nobody could tell a removal from a theft.
  if (audit.head().number === before) return;
  for (const { path } of old) await rm(path);
}
