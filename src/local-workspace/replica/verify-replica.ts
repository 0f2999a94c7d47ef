/** Compares both disks while the store goes on, so that what is only on its way is no fault. */
import { compareReplica, type ReplicaFault, type ReplicaReport, stillFaulty } from './check-replica.ts';
import type { Session } from './session.ts';
import type { ReplicaSource } from './source.ts';

export interface VerifyReplicaParts {
  readonly source: ReplicaSource;
  readonly folder: string;
  readonly session: Session;
  /** Waits until what is waiting is copied. */
  readonly idle: () => Promise<unknown>;
  /** Waits until all that there is at this moment is copied, which also heals what is missing. */
  readonly settled: () => Promise<unknown>;
}

/** What differs between the disks, and did so after the replica had time to follow. Throws as `idle` and `settled`. */
export async function verifyReplica({ source, folder, session, idle, settled }: VerifyReplicaParts): Promise<ReplicaReport> {
  const entered = new Set(session.inventory.entries().map(({ path }) => path));
  const found = await compareReplica(source, folder);
  const isFresh = ({ fault, path }: ReplicaFault): boolean => fault === 'missing' && !entered.has(path);
  // What the first disk had until lately goes with the next copy of the catalogue.
  const isGoing = ({ fault, path }: ReplicaFault): boolean => fault === 'surplus' && session.knows(path);
  const again = (faults: readonly ReplicaFault[]): Promise<ReplicaReport> => stillFaulty(source, folder, { ...found, faults });
  if (found.faults.length === 0) return found;
  await idle();
  const old = await again(found.faults.filter((fault) => !isFresh(fault) && !isGoing(fault)));
  const fresh = found.faults.filter(isFresh);
  if (fresh.length === 0) return old;
  await settled();
  return { ...old, faults: [...old.faults, ...(await again(fresh)).faults] };
}
