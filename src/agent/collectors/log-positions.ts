import { join } from 'node:path';
import { readFileIfAny, writeFileAtomic } from '../../files.ts';

/** How far a file has been read. */
export interface FilePosition {
  readonly inode: number;
  readonly offset: number;
  /** The bytes before the offset, base64: they tell this file from another that got its inode, or from one that was emptied and grew again. */
  readonly mark: string;
}

/** How far the journal has been read. */
export interface JournalPosition {
  readonly cursor: string;
  /** The entry's time in seconds since 1970, for the case that the cursor is no longer known. */
  readonly atS: number;
}

/** How far each source has been read. */
export interface LogPositions {
  readonly journal?: JournalPosition;
  readonly kernel?: { readonly boot: string; readonly sequence: number };
  readonly files?: Readonly<Record<string, FilePosition>>;
}

export interface PositionStore {
  readonly current: LogPositions;
  /** Replaces the parts given, durably. */
  save(change: LogPositions): Promise<void>;
}

/** Opens log-positions.json in the agent's folder. A damaged file counts as none: the last lines are then sent again. */
export async function openPositions(folder: string): Promise<PositionStore> {
  const path = join(folder, 'log-positions.json');
  let current = parse((await readFileIfAny(path))?.toString() ?? '{}');
  return {
    get current() {
      return current;
    },
    async save(change) {
      current = { ...current, ...change };
      await writeFileAtomic(path, JSON.stringify(current));
    },
  };
}

function parse(text: string): LogPositions {
  try {
    const { journal, kernel, files } = JSON.parse(text) as LogPositions;
    const known = Object.entries(files ?? {}).filter(
      ([, file]) => Number.isInteger(file.inode) && Number.isInteger(file.offset) && typeof file.mark === 'string',
    );
    return {
      ...(typeof journal?.cursor === 'string' && Number.isInteger(journal.atS) ? { journal } : {}),
      ...(typeof kernel?.boot === 'string' && Number.isInteger(kernel.sequence) ? { kernel } : {}),
      files: Object.fromEntries(known),
    };
  } catch {
    return {};
  }
}
