/** Says whether an export is as it was written, from its folder alone: neither a process nor a data folder is needed. */
import type { KeyObject } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { messageOf } from '../../errors.ts';
import { readSmall } from '../private-storage/place/read-file.ts';
import { type ExportFault, headFault, lineFaults, type Tell } from './faults.ts';
import { HEAD, MANIFEST, PUBLIC_KEY } from './layout.ts';
import { readHeadNote } from './manifest-head.ts';
import { type ManifestHead, NO_HASH } from './manifest-line.ts';
import { emptyReading, NO_MANIFEST, type Reading, readSignedLines, type TableSum } from './signed-lines.ts';
import { fingerprintOf, readPublicKeyFile } from './signer.ts';
import { checkFiles } from './verify-files.ts';

/** So many faults are told; the rest is counted. */
const MAX_FAULTS = 1_000;

export interface VerifyOptions {
  /** The key that was kept elsewhere. Without it the one beside the export is believed. */
  readonly publicKey?: KeyObject | undefined;
  /** A last line that was noted elsewhere: what was cut off since is found by it alone. */
  readonly expectedHead?: ManifestHead | undefined;
}

export interface ExportReport {
  /** Empty when all is as it was written. */
  readonly faults: readonly ExportFault[];
  /** Faults that are not in `faults`, because there are too many. */
  readonly moreFaults: number;
  readonly lines: number;
  readonly workspace: string | undefined;
  /** The last line that is as it was written: to be noted elsewhere. */
  readonly head: ManifestHead;
  /** Of the key that the lines were checked with. */
  readonly fingerprint: string | undefined;
  readonly tables: readonly TableSum[];
  /** What is no fault but worth knowing. */
  readonly remarks: readonly string[];
}

/** Checks each line of the manifest, each byte of each file, and that there is nothing else. Throws only when the folder cannot be read at all. */
export async function verifyExport(folder: string, { publicKey, expectedHead }: VerifyOptions = {}): Promise<ExportReport> {
  const faults: ExportFault[] = [];
  let moreFaults = 0;
  const tell = (fault: ExportFault): void => {
    if (faults.length < MAX_FAULTS) faults.push(fault);
    else moreFaults += 1;
  };
  const remarks: string[] = [];
  const key = await readKey(folder, publicKey, tell);
  if (!publicKey && key)
    remarks.push('checked with the key that lies beside the export: compare its fingerprint with the one that was noted when the export began');
  const noteText = await readIfAny(join(folder, HEAD), HEAD, 4096, tell);
  const reading = key ? await readSignedLines(folder, key, tell) : emptyReading();
  const workspace = reading.last?.entry.workspace;
  for (const fault of lineFaults(reading.lines, { number: 0, hash: NO_HASH }, MANIFEST)) tell(fault);
  if (!key && !(await isThere(join(folder, MANIFEST)))) tell({ at: 'manifest', fault: 'missing', path: MANIFEST, message: NO_MANIFEST });
  if (key) checkHeads({ key, noteText, expectedHead, reading, workspace, folder, tell, remarks });
  remarks.push(...(await checkFiles(folder, reading.files, tell)));
  const head = reading.last ? { number: reading.last.entry.number, hash: reading.last.hash } : { number: 0, hash: NO_HASH };
  return {
    faults,
    moreFaults,
    lines: reading.lines.length,
    workspace,
    head,
    fingerprint: key && fingerprintOf(key),
    tables: [...reading.sums.values()],
    remarks,
  };
}

async function readKey(folder: string, given: KeyObject | undefined, tell: Tell): Promise<KeyObject | undefined> {
  const text = await readIfAny(join(folder, PUBLIC_KEY), PUBLIC_KEY, 4096, tell, 'key');
  const beside = text === undefined ? undefined : readPublicKeyFile(text);
  if (text !== undefined && !beside) tell({ at: 'key', fault: 'changed', path: PUBLIC_KEY, message: 'it is not as it was written' });
  if (given && beside && fingerprintOf(given) !== fingerprintOf(beside)) {
    tell({ at: 'key', fault: 'other-key', path: PUBLIC_KEY, message: `it is the key ${fingerprintOf(beside)}, and ${fingerprintOf(given)} was given` });
  }
  return given ?? beside;
}

async function readIfAny(path: string, name: string, maxBytes: number, tell: Tell, at: ExportFault['at'] = 'head'): Promise<string | undefined> {
  try {
    const bytes = await readSmall(path, maxBytes);
    if (bytes === undefined) tell({ at, fault: 'missing', path: name, message: 'it is gone' });
    return bytes?.toString('latin1');
  } catch (error) {
    tell({ at, fault: 'changed', path: name, message: messageOf(error) });
    return undefined;
  }
}

interface HeadCheck extends Pick<VerifyOptions, 'expectedHead'> {
  readonly key: KeyObject;
  readonly noteText: string | undefined;
  readonly reading: Reading;
  readonly workspace: string | undefined;
  readonly folder: string;
  readonly tell: Tell;
  readonly remarks: string[];
}

function checkHeads({ key, noteText, expectedHead, reading, workspace, folder, tell, remarks }: HeadCheck): void {
  const { last, hashes } = reading;
  // An export without a line does not say whose it is, but its folder does.
  const note = noteText === undefined ? undefined : readHeadNote(noteText, workspace ?? basename(resolve(folder)), key);
  if (noteText !== undefined && !note)
    tell({ at: 'head', fault: 'changed', path: HEAD, message: 'it is not as it was written, so lines may have been cut off the end' });
  const wrong = [note && headFault(note, hashes, HEAD), expectedHead && headFault(expectedHead, hashes, MANIFEST)].find((fault) => fault !== undefined);
  if (wrong) tell(wrong);
  if (last && last.entry.part < last.entry.parts) {
    tell({
      at: 'line',
      fault: 'unfinished',
      number: last.entry.number,
      path: MANIFEST,
      message: `it ends with part ${last.entry.part} of ${last.entry.parts}`,
    });
  }
  if (note && last && note.number < last.entry.number)
    remarks.push(`${HEAD} names line ${note.number}, and there are lines up to ${last.entry.number}: a crash leaves it so, and a run that is under way`);
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
