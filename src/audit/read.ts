import { listAuditFiles, readLines } from './audit-files.ts';
import { type AuditEntry, readLine } from './line.ts';

/** Which entries are wanted. */
export interface AuditFilter {
  /** So many at most, the youngest. */
  readonly last: number;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  /** An action, or the beginning of it: `agent`, `agent.approve`. */
  readonly action?: string | undefined;
  /** A part of what it was done on. */
  readonly on?: string | undefined;
}

/** Reads entries as they stand there, the oldest first; whether they may be trusted is for `verifyAuditLog` to say. */
export async function readEntries(folder: string, filter: AuditFilter): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for (const { path } of (await listAuditFiles(folder)).reverse()) {
    const entries = (await readLines(path)).lines.flatMap((line) => readLine(line, undefined)?.entry ?? []);
    found.unshift(...entries.filter((entry) => isWanted(entry, filter)));
    const [first] = entries;
    if (found.length >= filter.last || (first && Date.parse(first.at) < (filter.since ?? 0))) break;
  }
  return found.slice(-filter.last);
}

function isWanted(entry: AuditEntry, { since, action, on }: AuditFilter): boolean {
  if (since !== undefined && Date.parse(entry.at) < since) return false;
  if (action !== undefined && entry.action !== action && !entry.action.startsWith(`${action}.`)) return false;
  return on === undefined || entry.on.toLowerCase().includes(on.toLowerCase());
}
