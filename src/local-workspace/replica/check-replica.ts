/** Is a replica what it ought to be? By what it says of itself, or against the first disk. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { hasFolders, listTree } from '../private-storage/place/folders.ts';
import { hashFile } from '../private-storage/place/read-file.ts';
import { catalogueIn } from './catalogue-copy.ts';
import { readInventory } from './inventory.ts';
import { isNoCopy } from './marks.ts';
import { placeOf, type ReplicaSource, type SourceFile } from './source.ts';

export interface ReplicaFault {
  /** `first-differs`: the copy on the first disk is damaged, and this one is whole. */
  readonly fault: 'missing' | 'differs' | 'behind' | 'surplus' | 'first-differs' | 'no-catalogue';
  readonly path: string;
  /** Without a full stop. */
  readonly message: string;
}

export interface ReplicaReport {
  /** Empty when the replica is what it ought to be. */
  readonly faults: readonly ReplicaFault[];
  readonly files: number;
  readonly bytes: number;
}

/** Hashes all that the replica says it has; the first disk need not be there. Throws only when the folder cannot be read at all. */
export async function checkReplica(folder: string): Promise<ReplicaReport> {
  const entries = [...(await readInventory(folder)).files.values()];
  const faults: ReplicaFault[] = [];
  for (const entry of entries) faults.push(...(await faultsOf(folder, entry)));
  if (!catalogueIn(entries)) faults.push({ fault: 'no-catalogue', path: '.', message: 'no catalogue was copied yet, so nothing says what the files are' });
  return { faults, files: entries.length, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Compares the replica with the first disk, file by file and log by log. What changes meanwhile may look like a fault: see `stillFaulty`. */
export async function compareReplica(source: ReplicaSource, folder: string): Promise<ReplicaReport> {
  const report = await checkReplica(folder);
  // Of what the replica says of itself, the copy of the catalogue is what the first disk has no twin of.
  const faults: ReplicaFault[] = report.faults.filter(({ fault, path }) => fault === 'no-catalogue' || isNoCopy(path));
  const files = await source.files();
  for (const file of files) {
    const found = await faultsOf(folder, file);
    if (found.length > 0) faults.push(...found);
    else if (!(await isWhole(placeOf(source, file), file))) faults.push(firstDiffers(file.path));
  }
  const logs = await source.logs();
  for (const log of logs) faults.push(...(await logFaults(source.folder, folder, log)));
  const wanted = new Set([...files, ...logs].map(({ path }) => path));
  for await (const { path } of listTree(folder, isNoCopy)) {
    if (!wanted.has(path)) faults.push({ fault: 'surplus', path, message: 'the first disk has it not; it goes when the catalogue is copied next' });
  }
  return { faults, files: report.files, bytes: report.bytes };
}

/** Of faults that were found, those that are there still, now that the replica had time to follow. */
export async function stillFaulty(source: ReplicaSource, folder: string, { faults, ...report }: ReplicaReport): Promise<ReplicaReport> {
  const files = new Map((await source.files()).map((file) => [file.path, file]));
  const logs = new Map((await source.logs()).map((log) => [log.path, log]));
  const again = async (fault: ReplicaFault): Promise<readonly ReplicaFault[]> => {
    const [file, log] = [files.get(fault.path), logs.get(fault.path)];
    if (isNoCopy(fault.path) || fault.fault === 'no-catalogue') return await noteFaults(folder, fault);
    if (log) return await logFaults(source.folder, folder, log);
    if (!file) return fault.fault === 'surplus' && (await isThere(join(folder, fault.path))) ? [fault] : [];
    const found = await faultsOf(folder, file);
    return found.length > 0 || (await isWhole(placeOf(source, file), file)) ? found : [firstDiffers(file.path)];
  };
  const left: ReplicaFault[] = [];
  for (const fault of faults) left.push(...(await again(fault)));
  return { ...report, faults: left };
}

// The copy of the catalogue may be another one by now.
async function noteFaults(folder: string, fault: ReplicaFault): Promise<readonly ReplicaFault[]> {
  const { files } = await readInventory(folder);
  const entry = files.get(fault.path);
  if (entry) return await faultsOf(folder, entry);
  return fault.fault === 'no-catalogue' && !catalogueIn([...files.values()]) ? [fault] : [];
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function isWhole(path: string, { sha256, bytes }: SourceFile): Promise<boolean> {
  const found = await hashFile(path).catch(() => undefined);
  return found?.sha256 === sha256 && found.bytes === bytes;
}

async function faultsOf(folder: string, { path, sha256, bytes }: SourceFile): Promise<ReplicaFault[]> {
  try {
    if (path.includes('/') && !(await hasFolders(folder, path.slice(0, path.lastIndexOf('/'))))) return [missing(path)];
    const found = await hashFile(join(folder, path));
    if (found.sha256 === sha256 && found.bytes === bytes) return [];
    return [{ fault: 'differs', path, message: found.bytes === bytes ? 'its bytes are others' : `it has ${found.bytes} bytes instead of ${bytes}` }];
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return [isMissing ? missing(path) : { fault: 'differs', path, message: messageOf(error) }];
  }
}

async function logFaults(from: string, to: string, { path, bytes }: { readonly path: string; readonly bytes: number }): Promise<ReplicaFault[]> {
  try {
    const copy = await hashFile(join(to, path), bytes);
    const own = await hashFile(join(from, path), copy.bytes);
    if (copy.sha256 !== own.sha256) return [{ fault: 'differs', path, message: 'its bytes are others' }];
    return copy.bytes === bytes ? [] : [{ fault: 'behind', path, message: `${bytes - copy.bytes} bytes are not copied yet` }];
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return [isMissing ? missing(path) : { fault: 'differs', path, message: messageOf(error) }];
  }
}

function missing(path: string): ReplicaFault {
  return { fault: 'missing', path, message: 'it is not there' };
}

function firstDiffers(path: string): ReplicaFault {
  return { fault: 'first-differs', path, message: 'the first disk has other bytes than were written, and the copy on the replica is whole: copy it back' };
}
