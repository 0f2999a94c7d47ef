/**
 * What the agent's queue had to give up and has not told yet, in one small file, so that a restart does not forget it. Written behind:
 * a kill may lose the last moment's notes, never a batch.
 */
import { messageOf } from '../errors.ts';
import { readFileIfAny, writeFileAtomic } from '../files.ts';
import type { Logger } from '../logger.ts';

/** How a batch was given up: the queue was full, the relay will never take it, its file was damaged. */
export const LOSS_FATES = ['dropped', 'refused', 'unreadable'] as const;

export type LossFate = (typeof LOSS_FATES)[number];

/** Batches of one data type that were given up for one reason. */
export interface LossNote {
  readonly fate: LossFate;
  readonly dataType: string;
  readonly batches: number;
  /** When the first and the last of them were given up, in milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface LossNotes {
  add(note: LossNote): void;
  isEmpty(): boolean;
  /** Hands all notes to `tell`; they are forgotten once it has resolved, and stay when it rejects. */
  handOver(tell: (notes: readonly LossNote[]) => Promise<void>): Promise<void>;
  /** Resolves when what was noted is written. */
  close(): Promise<void>;
}

/** Opens the notes at `path`. A file that cannot be read is begun anew, with a warning. */
export async function openLossNotes(path: string, log: Logger): Promise<LossNotes> {
  let notes = join([], await read(path, log));
  /** On their way; still in the file until they are told. */
  let leaving: readonly LossNote[] = [];
  let isDirty = false;
  let writing: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    while (isDirty) {
      isDirty = false;
      await writeFileAtomic(path, JSON.stringify(join(leaving, notes)));
    }
  };
  const save = (): Promise<void> => {
    isDirty = true;
    writing ??= write()
      .catch((error: unknown) => log.warn({ reason: messageOf(error) }, 'what was lost could not be noted on disk; a restart now would not report it'))
      .finally(() => {
        writing = undefined;
      });
    return writing;
  };

  return {
    add(note) {
      notes = join(notes, [note]);
      void save();
    },
    isEmpty: () => notes.length === 0,
    async handOver(tell) {
      leaving = notes;
      notes = [];
      try {
        await tell(leaving);
      } catch (thrown) {
        notes = join(leaving, notes);
        throw thrown;
      } finally {
        leaving = [];
      }
      await save();
    },
    close: () => writing ?? Promise.resolve(),
  };
}

function join(notes: readonly LossNote[], more: readonly LossNote[]): readonly LossNote[] {
  const joined = new Map(notes.map((note) => [keyOf(note), note]));
  for (const note of more) {
    const before = joined.get(keyOf(note));
    const batches = note.batches + (before?.batches ?? 0);
    const firstAt = Math.min(note.firstAt, before?.firstAt ?? note.firstAt);
    joined.set(keyOf(note), { ...note, batches, firstAt, lastAt: Math.max(note.lastAt, before?.lastAt ?? note.lastAt) });
  }
  return [...joined.values()];
}

function keyOf({ fate, dataType }: LossNote): string {
  return `${fate} ${dataType}`;
}

async function read(path: string, log: Logger): Promise<readonly LossNote[]> {
  const text = await readFileIfAny(path);
  if (!text) return [];
  try {
    const notes: unknown = JSON.parse(text.toString());
    if (Array.isArray(notes)) return notes.filter(isNote);
  } catch {
    // It is no JSON.
  }
  log.warn({ path }, 'the notes of what was lost cannot be read and are begun anew');
  return [];
}

function isNote(value: unknown): value is LossNote {
  const note = value as Partial<LossNote> | null;
  return (
    LOSS_FATES.some((fate) => fate === note?.fate) && typeof note?.dataType === 'string' && [note.batches, note.firstAt, note.lastAt].every(Number.isFinite)
  );
}
