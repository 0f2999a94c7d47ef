/** A workspace's second copy: what the store tells it, and what it tells people. */
import { stat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, every } from '../../clock.ts';
import { messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { ReplicaReport } from '../replica/check-replica.ts';
import { openReplica, type Replica, type ReplicaState } from '../replica/replica.ts';
import type { ReplicaSettings } from '../replica/settings.ts';
import type { Standing } from '../replica/standing.ts';
import { within } from '../replica/within.ts';
import { openToRead, writesTo } from '../replica/workspace/catalogue-snapshot.ts';
import { changingFilesStamp } from '../replica/workspace/changing-files.ts';
import { createWorkspaceSource, logPath } from '../replica/workspace/workspace-source.ts';
import type { LogFile } from '../staging/log-files.ts';

/** How often it is looked whether certificates, locks, retention or keys have changed, which are copied at once. */
const LOOK_MS = 2_000;
/** How long a copy that may be behind may be away before people are told. */
const PATIENCE_MS = 15 * 60_000;
/** How long the end waits for the last copy. */
const LAST_COPY_MS = 10_000;

/** What people ought to know of a replica. `damaged`: on one of the two disks something is not as it was written. */
export interface ReplicaEvent {
  readonly workspaceId: WorkspaceId;
  readonly kind: 'away' | 'in-step' | 'superseded' | 'damaged';
  readonly detail: string;
}

export interface ReplicatingParts {
  readonly id: WorkspaceId;
  /** The workspace's own folders. */
  readonly folder: string;
  readonly hotFolder?: string | undefined;
  readonly settings: ReplicaSettings;
  /** The register's file. */
  readonly register: string;
  /** The connection by which all of the register but receipts is written. */
  readonly registrations: DatabaseSync;
  readonly onReplicaEvent?: ((event: ReplicaEvent) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Replicating {
  /** The replica's folder. */
  readonly folder: string;
  /** For the staging log. In `sync` it resolves when the second disk has the bytes for good; throws as `Replica.append`. */
  copy(file: LogFile, at: number, bytes: readonly Buffer[]): Promise<void>;
  /** Begins, once the workspace's files are there. Throws as `openReplica`. */
  start(): Promise<void>;
  /** Changes whenever somebody is registered, or a lock, retention or an operation is. */
  registrations(): number;
  /** In `sync`, resolves when all that was registered until now is on the second disk; throws as `Replica.settled` while it is away, unless it is to `go-on`. */
  registrationsCopied(): Promise<void>;
  /** Undefined before `start`. */
  state(): ReplicaState | undefined;
  /** Compares every byte. Throws as `Replica.verify`. */
  verify(options: { readonly repair: boolean }): Promise<ReplicaReport>;
  /** Copies what is left, if the second disk is there, and ends. */
  close(): Promise<void>;
}

export function createReplicating(parts: ReplicatingParts): Replicating {
  const { folder, settings, clock, log } = parts;
  const lengths = new Map<string, number>();
  const source = createWorkspaceSource({ ...parts, lengthOf: (path) => lengths.get(path) });
  const tell = (kind: ReplicaEvent['kind'], detail: string): void => parts.onReplicaEvent?.({ workspaceId: parts.id, kind, detail });
  const teller = createTeller(settings, clock, tell);
  const changes = parts.registrations.prepare('SELECT total_changes() AS n');
  const registrations = (): number => (changes.get() as { n: number }).n;
  let copiedRegistrations = -1;
  let replica: Replica | undefined;
  let stopLooking = (): void => {};

  return {
    folder: settings.folder,
    async copy(file, at, bytes) {
      const path = logPath(file.path);
      lengths.set(path, at);
      const all = Buffer.concat(bytes);
      await (replica ?? notBegun(settings)).append(path, at, all);
      lengths.set(path, at + all.length);
    },
    async start() {
      await warnOfOneDisk(folder, settings.folder, log);
      const look = await createLook(folder, registrations);
      replica = await openReplica({ dataFolder: folder, settings, source, clock, log, onStanding: teller.standing });
      const opened = replica;
      let damaged = 0;
      const lookNow = async (): Promise<void> => {
        const { damagedFiles } = opened.state();
        if (damagedFiles > damaged) tell('damaged', `${damagedFiles} files on the first disk are not as they were written, and could not be copied.`);
        damaged = damagedFiles;
        await look.now(opened);
      };
      const stop = every(clock, LOOK_MS, () =>
        lookNow().catch((cause: unknown) => log.warn({ reason: messageOf(cause) }, 'what a replica is to copy could not be looked at')),
      );
      stopLooking = () => {
        stop();
        look.close();
      };
    },
    registrations,
    async registrationsCopied() {
      const now = registrations();
      if (settings.mode === 'async' || !replica || now === copiedRegistrations) return;
      replica.changed();
      try {
        await within(clock, settings.waitSeconds * 1_000, replica.settled(), `what was registered was not copied within ${settings.waitSeconds} seconds`);
        copiedRegistrations = Math.max(now, copiedRegistrations);
      } catch (cause) {
        if (settings.whenAway === 'refuse') throw cause;
      }
    },
    state: () => replica?.state(),
    async verify(options) {
      const report = await (replica ?? notBegun(settings)).verify(options);
      const bad = report.faults.filter(({ fault }) => fault !== 'surplus' && fault !== 'behind');
      if (bad.length > 0)
        tell('damaged', `${bad.length} files differ between the two disks${options.repair ? ', and were copied anew where the first disk is whole' : ''}.`);
      return report;
    },
    async close() {
      stopLooking();
      teller.close();
      const closing = replica;
      if (!closing) return;
      closing.changed();
      await within(clock, LAST_COPY_MS, closing.settled(), 'it takes too long').catch((cause: unknown) => {
        log.warn({ folder: settings.folder, reason: messageOf(cause) }, 'the replica is not in step at the end; it is brought in step after the next start');
      });
      await closing.close();
    },
  };
}

interface Look {
  /** Tells the replica of what has changed since. */
  now(replica: Pick<Replica, 'changed' | 'removed'>): Promise<void>;
  close(): void;
}

async function createLook(folder: string, registrations: () => number): Promise<Look> {
  const catalogue = openToRead(folder);
  const stampNow = async (): Promise<string> => `${registrations()} ${await changingFilesStamp(folder)}`;
  let stamp = await stampNow();
  let writes = writesTo(catalogue);
  return {
    async now(replica) {
      const before = { stamp, writes };
      stamp = await stampNow();
      writes = writesTo(catalogue);
      if (stamp !== before.stamp) replica.changed();
      else if (writes !== before.writes) replica.removed();
    },
    close: () => catalogue.close(),
  };
}

interface Teller {
  standing(standing: Standing): void;
  close(): void;
}

// In `sync` a disk that is away is felt at once; a copy that may be behind may also be away for a while.
function createTeller({ mode, whenAway, folder }: ReplicaSettings, clock: Clock, tell: (kind: ReplicaEvent['kind'], detail: string) => void): Teller {
  let cancel = (): void => {};
  const isAway = (reason: string | undefined): void => {
    const intake = mode === 'sync' && whenAway === 'refuse' ? 'New data is refused' : 'New data is kept with one copy';
    tell('away', `${intake}, for the replica ${folder} is away: ${reason ?? 'it is not known why'}.`);
  };
  return {
    standing({ status, reason }) {
      if (status === 'behind') return;
      cancel();
      cancel = () => {};
      if (status === 'in-step') tell('in-step', `The replica ${folder} has everything.`);
      else if (status === 'superseded') tell('superseded', reason ?? 'Another data folder took over.');
      else if (mode === 'sync') isAway(reason);
      else cancel = clock.after(PATIENCE_MS, () => isAway(reason));
    },
    close: () => cancel(),
  };
}

async function warnOfOneDisk(folder: string, replicaFolder: string, log: Logger): Promise<void> {
  const [one, other] = await Promise.all([folder, replicaFolder].map((path) => stat(path).catch(() => undefined)));
  if (one && one.dev === other?.dev) log.warn({ folder: replicaFolder }, 'the replica is on the same disk as the data folder: both are lost with it');
}

function notBegun({ folder }: ReplicaSettings): never {
  throw new RelayError('relay.local-workspace.replica-away', `The replica ${folder} is not opened yet. Try again in a moment.`);
}
