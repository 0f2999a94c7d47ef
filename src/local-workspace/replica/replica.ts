/**
 * A second copy of a data folder's files on another disk. In `sync` an append returns when its bytes are on that disk too. All else (files, the
 * catalogue, removals) follows in the background, in an order by which the replica can be taken over at any moment.
 */
import { type Clock, every } from '../../clock.ts';
import { messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { type Disk, realDisk } from '../private-storage/place/disk.ts';
import { NOTE_EVERY_MS, removeAliveNote, writeAliveNote } from './alive-note.ts';
import type { ReplicaReport } from './check-replica.ts';
import { checkMayWrite, readPrimaryMark, writePrimaryMark } from './marks.ts';
import { createReplicaWork } from './replica-work.ts';
import { openSession, type Session } from './session.ts';
import type { ReplicaSettings } from './settings.ts';
import type { ReplicaSource, SourceFile } from './source.ts';
import { createStanding, type Standing } from './standing.ts';
import { verifyReplica } from './verify-replica.ts';
import { within } from './within.ts';

const RETRY_MS = 10_000;
const CATALOGUE_EVERY_MS = 60_000;

export interface ReplicaParts {
  readonly dataFolder: string;
  readonly settings: ReplicaSettings;
  readonly source: ReplicaSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly disk?: Disk;
  /** Told of each change of how it stands. */
  readonly onStanding?: ((standing: Standing) => void) | undefined;
}

export interface ReplicaState extends Standing {
  readonly waitingFiles: number;
  /** Files that could not be copied because the first disk does not hold what was written. */
  readonly damagedFiles: number;
  /** When the catalogue was copied last, in milliseconds since 1970; undefined when it was not since the start. */
  readonly catalogueAt: number | undefined;
  readonly epoch: number;
}

export interface Replica {
  /**
   * Tells of bytes that stand at `offset` of a log, on stable storage. In `sync` it returns when the replica has them too; while the replica is away it
   * throws `relay.local-workspace.replica-away` (503) or, with `go-on`, returns. Throws `relay.local-workspace.superseded` for ever once another data
   * folder took over.
   */
  append(log: string, offset: number, bytes: Uint8Array): Promise<void>;
  /** Tells of a new file. Need not be waited for: until a catalogue that names it is copied, the logs it came from stay on the replica. */
  fileSealed(file: SourceFile): void;
  /** Tells that files or logs were removed; the replica's go when the catalogue is copied next. */
  removed(): void;
  /** Tells that what is copied with the catalogue has changed, and is not to wait for the next minute. */
  changed(): void;
  /** Returns when all that there is at this moment is copied. Throws as `append` does in `sync`. */
  settled(): Promise<void>;
  state(): ReplicaState;
  /** Compares all bytes of both disks; `repair` copies anew what differs on the replica. Throws `relay.local-workspace.replica-away`. */
  verify(options?: { readonly repair?: boolean }): Promise<ReplicaReport>;
  close(): Promise<void>;
}

/**
 * Opens the replica that is linked to a data folder; one that is away is waited for in the background. Throws `relay.local-workspace.superseded`, and
 * `relay.local-workspace.replica-not-linked`.
 */
export async function openReplica(parts: ReplicaParts): Promise<Replica> {
  const { dataFolder, settings, source, clock, log, disk = realDisk } = parts;
  const { folder, mode, whenAway, waitSeconds } = settings;
  const waitMs = waitSeconds * 1_000;
  await checkMayWrite(dataFolder);
  const mark = (await readPrimaryMark(dataFolder)) ?? refuseUnlinked(dataFolder);
  const work = createReplicaWork({ source, folder, disk, log });
  const standing = createStanding(parts);
  let session: Session | undefined;
  let closed = false;
  let gone: RelayError | undefined;
  let cancelRetry = (): void => {};
  let working: Promise<void> | undefined;
  let stepping: Promise<boolean> | undefined;

  const connect = (): Promise<Session> => openSession({ dataFolder, folder, source, mark, disk });

  const failed = async (error: unknown): Promise<void> => {
    // A disk that hangs hangs at the closing too, and nobody waits for it.
    void session?.close();
    session = undefined;
    work.beginAnew();
    if (error instanceof RelayError && error.code === 'relay.local-workspace.superseded') {
      gone = error;
      standing.become('superseded', error.message);
      // So that the next start does not go on either, where the replica's disk is away then.
      await writePrimaryMark(disk, dataFolder, { ...mark, supersededBy: mark.epoch + 1 }).catch(() => {});
    } else if (!closed) {
      standing.become('away', messageOf(error));
      cancelRetry();
      cancelRetry = clock.after(RETRY_MS, kick);
    }
  };

  const run = async (): Promise<void> => {
    try {
      let isMore = true;
      while (isMore && !closed && !gone) {
        session ??= await connect();
        if (standing.status() === 'away') standing.become('behind');
        stepping = work.step(session, clock.now());
        isMore = await stepping;
        stepping = undefined;
      }
      if (session && !closed) standing.become('in-step');
    } catch (error) {
      await failed(error);
    } finally {
      [working, stepping] = [undefined, undefined];
    }
  };

  function kick(): void {
    if (!closed && !gone) working ??= Promise.resolve().then(run);
  }
  const idle = async (): Promise<Session> => {
    kick();
    // Under data that keeps coming there is no end of work: two copies of the catalogue, the second begun after now, have all that there was.
    const enough = work.passes() + 2;
    while (working !== undefined && work.passes() < enough) await (stepping?.catch(() => {}) ?? working);
    if (gone) throw gone;
    return session ?? refuseWhileAway(folder, standing.reason());
  };

  const settled = async (): Promise<void> => {
    work.removed();
    work.catalogueIsDue();
    await idle();
  };

  const copied = async (path: string, offset: number, bytes: Uint8Array): Promise<void> => {
    const now = session;
    try {
      if (!now) throw new Error(standing.reason() ?? 'it is being looked for');
      await within(clock, waitMs, now.log(path).append(offset, bytes), `it did not answer within ${waitSeconds} seconds`);
    } catch (cause) {
      if (now && now === session) await failed(cause);
      if (gone) throw gone;
      if (whenAway === 'refuse') refuseWhileAway(folder, cause);
    }
  };

  const noteAlive = async (): Promise<void> => {
    if (session && !gone) await writeAliveNote(disk, folder, { owner: mark.owner, epoch: mark.epoch, at: clock.now() });
  };
  const copyCatalogueNow = (): void => {
    work.catalogueIsDue();
    kick();
  };

  await connect().then((opened) => {
    session = opened;
  }, failed);
  if (gone) throw gone;
  await noteAlive().catch(failed);
  const timers = [every(clock, NOTE_EVERY_MS, () => noteAlive().catch(failed)), every(clock, CATALOGUE_EVERY_MS, copyCatalogueNow)];
  kick();

  return {
    async append(path, offset, bytes) {
      if (gone) throw gone;
      if (mode === 'sync') return await copied(path, offset, bytes);
      work.logGrew(path, offset + bytes.length);
      kick();
    },
    fileSealed(file) {
      work.fileSealed(file);
      kick();
    },
    removed: () => work.removed(),
    changed() {
      work.removed();
      copyCatalogueNow();
    },
    settled,
    state: () => ({ ...standing.now(), ...work.counts(), epoch: mark.epoch }),
    async verify({ repair = false } = {}) {
      const now = await idle();
      const report = await verifyReplica({ source, folder, session: now, idle, settled });
      if (!repair || report.faults.length === 0) return report;
      for (const { path, fault } of report.faults) {
        await now.dropLog(path);
        // The replica's copy is the good one.
        if (fault !== 'first-differs') await now.inventory.strike(path);
      }
      work.beginAnew();
      await idle();
      return report;
    },
    async close() {
      closed = true;
      cancelRetry();
      for (const end of timers) end();
      await within(clock, waitMs, working ?? Promise.resolve(), 'the replica hangs').catch(() => {});
      if (session && !gone) await removeAliveNote(disk, folder).catch(() => {});
      await session?.close();
      session = undefined;
    },
  };
}

function refuseWhileAway(folder: string, cause: unknown): never {
  throw new RelayError(
    'relay.local-workspace.replica-away',
    `Data is not taken while its second copy cannot be written: the replica ${folder} is away. Mount it, or set whenAway to "go-on" to take data with one copy.`,
    { cause },
  );
}

function refuseUnlinked(dataFolder: string): never {
  throw new RelayError(
    'relay.local-workspace.replica-not-linked',
    `The data folder ${dataFolder} has no replica yet. Link a folder on another disk with: relay local-workspace replica link <folder> --data ${dataFolder}`,
  );
}
