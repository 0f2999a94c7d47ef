import { CONFIGURATION, MANIFEST, SUMS } from './manifest.ts';
import { type StateFile, stateFile } from './state-files.ts';

const MIB = 1024 * 1024;
const STATE = 'state/';
const FILE = /^files\/[a-z0-9][a-z0-9.-]{0,99}$/;

/** A file for an archive: its bytes, or where they are and how many of them. */
export interface Member {
  readonly name: string;
  readonly content: Buffer | FileContent;
}

/** The first `bytes` of a file. */
export interface FileContent {
  readonly path: string;
  readonly bytes: number;
}

/** The member that holds a file of the data folder. */
export function stateMember(path: string): string {
  return STATE + path;
}

/** Where in the data folder a member belongs; undefined for the others. */
export function pathInState(member: string): string | undefined {
  return member.startsWith(STATE) ? member.slice(STATE.length) : undefined;
}

/** What is known of the file of the data folder that a member holds; undefined for the others. */
export function stateOf(member: string): StateFile | undefined {
  const path = pathInState(member);
  return path === undefined ? undefined : stateFile(path);
}

/** Bytes a member may have; undefined when no backup has one of that name. No name that leads out of a folder has any. */
export function mostBytes(member: string): number | undefined {
  if (member === MANIFEST || member === CONFIGURATION) return MIB;
  if (member === SUMS) return 256 * MIB;
  if (FILE.test(member)) return MIB;
  return stateOf(member)?.maxBytes;
}
