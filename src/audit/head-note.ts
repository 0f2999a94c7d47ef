/**
 * A note beside the log of its last line, sealed like a line: by it a tail that was cut off is found. It is written after the line it names, so
 * it is never ahead of a log that is whole; after a power cut it may be a few lines behind.
 */
import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readFileIfAny } from '../files.ts';
import type { AuditKey } from './audit-key.ts';
import type { Head } from './line.ts';

const NAME = 'head.json';
const NOTE_BYTES = 256;

/** Writes the note over the one before, one sector in place, so that a power cut leaves either. `durably` also waits for the disk. */
export function writeHeadNote(folder: string, { number, seal }: Head, { key, durably }: { readonly key: AuditKey; readonly durably: boolean }): void {
  const content = JSON.stringify({ number, seal, note: sealOf({ number, seal }, key) }).padEnd(NOTE_BYTES - 1);
  const file = openSync(join(folder, NAME), constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeSync(file, `${content}\n`, 0);
    if (durably) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads the note; why not, when there is none that can be trusted. */
export async function readHeadNote(folder: string, key: AuditKey): Promise<Head | 'missing' | 'changed'> {
  const first = await readOnce(folder, key);
  // It may have been read in the middle of a write.
  return first === 'changed' ? await readOnce(folder, key) : first;
}

async function readOnce(folder: string, key: AuditKey): Promise<Head | 'missing' | 'changed'> {
  const text = (await readFileIfAny(join(folder, NAME)))?.toString('utf8');
  if (text === undefined) return 'missing';
  try {
    const { number, seal, note } = JSON.parse(text) as Head & { note: string };
    return Number.isSafeInteger(number) && note === sealOf({ number, seal }, key) ? { number, seal } : 'changed';
  } catch {
    return 'changed';
  }
}

function sealOf({ number, seal }: Head, key: AuditKey): string {
  return key.seal(Buffer.from(`relay audit head ${number} ${seal}`));
}
