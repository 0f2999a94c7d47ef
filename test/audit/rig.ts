import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditFile, listAuditFiles } from '../../src/audit/audit-files.ts';
import { type AuditKey, readAuditKey } from '../../src/audit/audit-key.ts';
import { type AuditLog, type AuditLogParts, openAuditLog } from '../../src/audit/audit-log.ts';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { type Verification, verifyAuditLog } from '../../src/audit/verify.ts';
import { createLogger } from '../../src/logger.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export const START: number = Date.UTC(2026, 10, 23, 8);

export interface AuditRig extends AsyncDisposable {
  readonly folder: string;
  readonly keyFile: string;
  readonly clock: ManualClock;
  /** What was logged at level error. */
  readonly errors: string[];
  open(more?: Partial<AuditLogParts>): Promise<AuditLog>;
  key(): Promise<AuditKey>;
  verify(expected?: Parameters<typeof verifyAuditLog>[2]): Promise<Verification>;
  /** Changes the lines of a file, the first one unless named by its first line's number. */
  edit(change: (lines: string[]) => string[], firstNumber?: number): Promise<void>;
  lines(firstNumber?: number): Promise<string[]>;
}

/** A folder for an audit log, with a clock that is turned by hand. */
export async function createAuditRig(): Promise<AuditRig> {
  const temporary = await temporaryFolder();
  const folder = join(temporary.path, 'audit');
  const keyFile = join(temporary.path, 'keys', 'audit.key');
  const clock = createManualClock(START);
  const errors: string[] = [];
  const log = createLogger('error', { write: (line: string) => void errors.push(line) });
  const pathOf = (firstNumber: number): string => auditFile(folder, firstNumber).path;
  const lines = async (firstNumber = 1): Promise<string[]> => (await readFile(pathOf(firstNumber), 'utf8')).split('\n').slice(0, -1);
  return {
    folder,
    keyFile,
    clock,
    errors,
    open: (more) => openAuditLog({ folder, keyFile, clock, log, ...more }),
    key: () => readAuditKey(keyFile),
    verify: async (expected) => await verifyAuditLog(folder, await readAuditKey(keyFile), expected),
    async edit(change, firstNumber = 1) {
      const changed = change(await lines(firstNumber));
      await writeFile(pathOf(firstNumber), changed.map((line) => `${line}\n`).join(''));
    },
    lines,
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** An operator's event, one of many. */
export function eventNumber(at: number): AuditEvent {
  return { actor: { kind: 'operator', name: 'ada' }, action: 'agent.approve', on: `agent-${at}`, from: 'socket', result: 'done' };
}

/** Enters so many events. */
export function enterMany(log: AuditLog, count: number): void {
  for (let at = 1; at <= count; at += 1) log.enter(eventNumber(at));
}

/** The names of the log's files. */
export async function fileNames(folder: string): Promise<string[]> {
  return (await listAuditFiles(folder)).map(({ name }) => name);
}
