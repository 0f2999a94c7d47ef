import { join } from 'node:path';
import type { LossEntry } from './loss.ts';
import { readLossJournal } from './loss-journal.ts';

/** What the loss ledger's file tells, the oldest first: for a relay that does not run. */
export async function readLossEntries(folder: string): Promise<LossEntry[]> {
  const entries = new Map<string, LossEntry>();
  for (const line of await readLossJournal(join(folder, 'journal.jsonl'), () => {})) {
    for (const entry of (line as { readonly entries?: readonly LossEntry[] }).entries ?? []) entries.set(entry.id, entry);
  }
  return [...entries.values()].sort((a, b) => a.enteredAt - b.enteredAt);
}
