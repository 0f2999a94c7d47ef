import { type ManifestEntry, type ManifestHead, writeLine } from './manifest-line.ts';
import type { ExportSigner } from './signer.ts';
import type { ReceivedRange } from './source.ts';
import type { Draft } from './window.ts';

// The years that ISO 8601 writes with four digits.
const FIRST_MS = -62_167_219_200_000;
const LAST_MS = 253_402_300_799_999;

/** What the lines of one window have in common. */
export interface WindowFacts {
  readonly workspace: string;
  readonly job: string;
  readonly range: ReceivedRange;
  /** Milliseconds since 1970. */
  readonly writtenAt: number;
  readonly isSealed: boolean;
}

/** The lines of a window's files behind `before`, each with its line break, and the new head. */
export function writeLines(
  drafts: readonly Draft[],
  facts: WindowFacts,
  before: ManifestHead,
  signer: ExportSigner,
): { readonly lines: string; readonly head: ManifestHead } {
  let head = before;
  let lines = '';
  for (const [at, draft] of drafts.entries()) {
    const entry = entryOf(draft, facts, { part: at + 1, parts: drafts.length });
    const { line, hash } = writeLine(entry, head.hash, signer);
    lines += `${line}\n`;
    head = { number: entry.number, hash };
  }
  return { lines, head };
}

function entryOf(
  draft: Draft,
  { workspace, job, range, writtenAt, isSealed }: WindowFacts,
  place: { readonly part: number; readonly parts: number },
): ManifestEntry {
  const { number, path, columns, rows, bytes, sha256, contentBytes, contentSha256 } = draft;
  const window = { from: timeOf(range.from), to: timeOf(range.to), ...place };
  const times = { oldest: timeOrNull(draft.oldest), newest: timeOrNull(draft.newest) };
  const file = { bytes, sha256, contentBytes, contentSha256, seal: isSealed ? 'relay-sealed-frames-1' : 'none' } as const;
  return { number, workspace, job, table: range.table, path, columns, ...window, rows, ...times, ...file, writtenAt: timeOf(writtenAt) };
}

/** A time as lines have it: ISO 8601, UTC, milliseconds, in the years 0 to 9999. */
export function timeOf(ms: number): string {
  return new Date(Math.min(Math.max(ms, FIRST_MS), LAST_MS)).toISOString();
}

function timeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : timeOf(ms);
}
