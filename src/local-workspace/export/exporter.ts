/**
 * Exports rows of one workspace into a folder of the customer's. How far a job has come is what the manifest's lines say, so a kill at any moment
 * neither loses rows nor writes them twice.
 */

import { lstat } from 'node:fs/promises';
import { messageOf, RelayError } from '../../errors.ts';
import { realDisk } from '../private-storage/place/disk.ts';
import { type CommitParts, commit } from './commit.ts';
import { type ExporterParts, placesOf } from './export-parts.ts';
import { HOUR_MS, isTableName } from './layout.ts';
import { timeOf, writeLines } from './manifest-entries.ts';
import type { ManifestHead } from './manifest-line.ts';
import { cursorKey, type ExportState, recoverExport } from './recover.ts';
import { fingerprintOf } from './signer.ts';
import type { ReceivedRange } from './source.ts';
import { type Draft, writeWindow } from './window.ts';

const PART_BYTES = 64 * 1024 * 1024;

/** What is to be exported. */
export interface ExportJob {
  /** Small letters, digits and `-`, 64 characters at most. The same job goes on where it stopped, and writes nothing twice. */
  readonly name: string;
  /** All tables when not given. */
  readonly tables?: readonly string[] | undefined;
  /** `_TimeReceived`, milliseconds since 1970: `from` included (the beginning unless given), `to` not (all that is settled unless given). */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExportOutcome {
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
  /** Everything received before this (milliseconds) is exported. Less than `to` where rows may still come: run the job again later. */
  readonly until: number;
  readonly head: ManifestHead;
}

export interface Exporter {
  /**
   * Runs a job; one at a time, the others wait. Throws `relay.local-workspace.export-away` while the folder is not there, `…export-damaged` when it
   * is not as it was left, `…export-bad-job`, and `…export-failed` for what the disk says. The next run goes on from what is there.
   */
  run(job: ExportJob): Promise<ExportOutcome>;
  /** Where the export stands; makes it, or finishes what a crash left. Throws as `run` does. */
  head(): Promise<ManifestHead>;
  /** Of the public key, for the operator to note elsewhere. */
  readonly fingerprint: string;
}

export function createExporter(parts: ExporterParts): Exporter {
  const { workspaceId, signer, log, makeImmutable, disk = realDisk } = parts;
  const places = placesOf(parts);
  const committing: CommitParts = { places, workspaceId, signer, disk, log, makeImmutable };
  let state: ExportState | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(action: (now: ExportState) => Promise<T>): Promise<T> => {
    const done = last.then(async () => {
      try {
        if (state && !(await isAsLeft(places.manifest, state.manifestBytes))) state = undefined;
        state ??= await recoverExport(committing);
        return await action(state);
      } catch (cause) {
        // What is on disk is found out anew.
        state = undefined;
        throw cause instanceof RelayError ? cause : failed(places.folder, cause);
      }
    });
    last = done.catch(() => {});
    return done;
  };

  const exportWindow = async (now: ExportState, job: ExportJob, range: ReceivedRange, hour: number): Promise<{ next: ExportState; drafts: Draft[] }> => {
    const window = { ...range, hour, firstNumber: now.head.number + 1 };
    const drafts = await writeWindow({ ...parts, places, disk, partBytes: parts.partBytes ?? PART_BYTES, signal: job.signal }, window);
    if (drafts.length === 0) return { next: now, drafts };
    const { lines, head } = writeLines(
      drafts,
      { job: job.name, range, workspace: workspaceId, writtenAt: parts.clock.now(), isSealed: parts.sealer !== undefined },
      now.head,
      signer,
    );
    const files = drafts.map(({ draft, path, sha256 }) => ({ draft, path, sha256 }));
    await commit(committing, { manifestBytes: now.manifestBytes, lines, head, files });
    const cursors = new Map(now.cursors).set(cursorKey(job.name, range.table), range.to);
    return { next: { head, manifestBytes: now.manifestBytes + Buffer.byteLength(lines), cursors }, drafts };
  };

  return {
    fingerprint: fingerprintOf(signer.publicKey),
    head: () => inTurn(async ({ head }) => head),
    run: (job) =>
      inTurn(async (now) => {
        const tables = tablesOf(job, parts);
        const until = Math.floor(Math.min(job.to ?? Number.POSITIVE_INFINITY, await parts.source.settledBefore()));
        let [rows, files, bytes] = [0, 0, 0];
        for (const table of tables) {
          let from = now.cursors.get(cursorKey(job.name, table)) ?? job.from ?? 0;
          for (const hour of from < until ? await parts.source.hours({ table, from, to: until }) : []) {
            job.signal?.throwIfAborted();
            const to = Math.min(hour + HOUR_MS, until);
            if (to <= from) continue;
            const { next, drafts } = await exportWindow(now, job, { table, from, to }, hour);
            for (const draft of drafts) [rows, files, bytes] = [rows + draft.rows, files + 1, bytes + draft.bytes];
            if (drafts.length > 0) from = to;
            now = next;
            state = next;
          }
        }
        return { rows, files, bytes, until, head: now.head };
      }),
  };
}

function tablesOf({ name, tables, from = 0, to = Number.MAX_SAFE_INTEGER }: ExportJob, { source, log }: ExporterParts): string[] {
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw badJob(`"${name.slice(0, 80)}" is no name for a job: use small letters, digits and -`);
  if (from >= to) throw badJob(`it begins at ${timeOf(from)} and ends at ${timeOf(to)}: give an end that is later`);
  const known = source.tables().map((table) => table.name);
  const unknown = (tables ?? []).find((table) => !known.includes(table) && !isTableName(table));
  if (unknown !== undefined) throw badJob(`"${unknown.slice(0, 80)}" is no table`);
  for (const table of known) if (!isTableName(table)) log.warn({ table }, 'a table is not exported: its name cannot be that of a folder');
  // A rule may name a table that gets its first row tomorrow.
  return known.filter((table) => isTableName(table) && (tables === undefined || tables.includes(table))).sort();
}

async function isAsLeft(manifest: string, bytes: number): Promise<boolean> {
  return (await lstat(manifest).catch(() => undefined))?.size === bytes;
}

function badJob(why: string): RelayError {
  return new RelayError('relay.local-workspace.export-bad-job', `The export was not begun: ${why}.`);
}

function failed(folder: string, cause: unknown): RelayError {
  const why = messageOf(cause);
  return new RelayError('relay.local-workspace.export-failed', `The export to ${folder} stopped: ${why}. What is there stays; the next run goes on from it.`, {
    cause,
  });
}
