import { join } from 'node:path';

/** A file that never changes once it is there. */
export interface SourceFile {
  /** Relative to the source's folder, with `/`; the same on the replica. */
  readonly path: string;
  /** Where it lies, when it is on another disk than the source's folder. */
  readonly at?: string | undefined;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** A file that only grows, until it is removed. */
export interface SourceLog {
  readonly path: string;
  /** How much of it is on stable storage. */
  readonly bytes: number;
}

/** A catalogue: one file that changes, of which consistent copies can be made. */
export interface SourceCatalogue {
  readonly path: string;
  /** Writes a consistent copy to a path where nothing is yet (SQLite: VACUUM INTO); the files that this copy names. */
  copyTo(path: string): Promise<readonly SourceFile[]>;
}

/** What a replica is a copy of: plain files below one folder. What is in them is nobody's business here. */
export interface ReplicaSource {
  readonly folder: string;
  /** The files that ought to be there now. Throws when they are not (a disk that is not mounted). */
  files(): Promise<readonly SourceFile[]>;
  logs(): Promise<readonly SourceLog[]>;
  readonly catalogue: SourceCatalogue;
}

/** Where a file of the source lies. */
export function placeOf({ folder }: Pick<ReplicaSource, 'folder'>, { path, at }: Pick<SourceFile, 'path' | 'at'>): string {
  return at ?? join(folder, path);
}
