/**
 * One line of the audit log: a JSON object whose last member is the seal, an HMAC-SHA256 over all bytes of the line before it. Each line holds
 * the seal of the line before, so that none can be changed, left out or moved without the key.
 */

import type { Format } from '../format.ts';
import type { AuditKey } from './audit-key.ts';
import type { AuditEvent } from './entry.ts';

/** Lines, head note and key bear no number; this is theirs. */
export const AUDIT_FORMAT: Format = { reads: [1], writes: 1 };

const SEALED = /^(\{.*),"seal":"([0-9a-f]{64})"\}$/s;

/** What the first line of all has in place of a seal before it. */
export const NO_SEAL: string = '0'.repeat(64);

/** An event with its place in the log. */
export interface AuditEntry extends AuditEvent {
  /** Counts from 1, over all files. */
  readonly number: number;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** A line as it was read: `before` is the seal of the line it was written after. */
export interface ReadLine {
  readonly entry: AuditEntry;
  readonly before: string;
  readonly seal: string;
  /** The key it was sealed with. */
  readonly keyId: string;
  readonly isSealed: boolean;
}

/** Where the log is: the last line's number and seal. */
export interface Head {
  readonly number: number;
  readonly seal: string;
}

/** Writes an entry as a line, without the line break. */
export function writeLine(entry: AuditEntry, before: string, key: AuditKey): { readonly line: string; readonly seal: string } {
  const { number, at, actor, action, on, from, result, detail } = entry;
  const content = JSON.stringify({ number, at, actor, action, on, from, result, detail, before, key: key.id }).slice(0, -1);
  const seal = key.seal(Buffer.from(content));
  return { line: `${content},"seal":"${seal}"}`, seal };
}

/** Reads a line's bytes; undefined when they are no line. What it says is to be trusted only when it `isSealed`. */
export function readLine(bytes: Buffer, key: AuditKey | undefined): ReadLine | undefined {
  // One character a byte: the seal covers the bytes, whatever they are.
  const [, content, seal] = SEALED.exec(bytes.toString('latin1')) ?? [];
  if (content === undefined || seal === undefined) return undefined;
  try {
    const { before, key: keyId, seal: _seal, ...entry } = JSON.parse(bytes.toString('utf8')) as AuditEntry & { before: string; key: string; seal: string };
    if (!Number.isSafeInteger(entry.number) || typeof entry.at !== 'string' || typeof entry.actor?.name !== 'string') return undefined;
    return { entry, before, seal, keyId, isSealed: key !== undefined && keyId === key.id && key.seal(Buffer.from(content, 'latin1')) === seal };
  } catch {
    return undefined;
  }
}
