/** The management group's file while no relay has it open. */
import { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';

/** The layout that a file is of: how many steps it has seen. Throws `relay.management-group.unreadable`. */
export function layoutOf(path: string): number {
  return reading(path, (database) => {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    return version;
  });
}

/** Writes all that a file holds, and what stands in its write-ahead log, as one new file `to`. Throws `relay.management-group.unreadable`. */
export function copyStored(path: string, to: string): void {
  reading(path, (database) => database.prepare('VACUUM INTO ?').run(to));
}

function reading<T>(path: string, read: (database: DatabaseSync) => T): T {
  try {
    using database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    return read(database);
  } catch (cause) {
    throw new RelayError('relay.management-group.unreadable', `${path} cannot be read. Check that no relay has it open, and the room on its disk.`, { cause });
  }
}
