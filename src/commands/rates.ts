import type { Kind } from '../batch/kind.ts';
import type { Amount } from '../cache/balance.ts';
import type { WorkspaceStats } from '../cache/cache.ts';
import type { Status } from '../control/api.ts';

/** A status, and when it was asked for, in milliseconds since 1970. */
export interface Sample {
  readonly status: Status;
  readonly at: number;
}

/** In a second: what came in, and what was delivered. */
export interface Rate {
  readonly in: Amount;
  readonly out: Amount;
}

export interface WorkspaceRate extends Rate {
  readonly workspaceId: string;
  /** Kinds of which something moved, the busiest first. */
  readonly kinds: readonly (Rate & { readonly kind: Kind })[];
}

const NOTHING: Amount = { batches: 0, bytes: 0 };

/** How fast data moved between two samples, by workspace. Undefined where nothing tells: another process counts from zero again, and time must have passed. */
export function ratesBetween(before: Sample | undefined, after: Sample): readonly WorkspaceRate[] | undefined {
  const seconds = before ? (after.at - before.at) / 1000 : 0;
  if (!before || seconds <= 0 || before.status.pid !== after.status.pid || before.status.startedAt !== after.status.startedAt) return undefined;
  return after.status.cache.workspaces.map((now) => {
    const then = before.status.cache.workspaces.find(({ workspaceId }) => workspaceId === now.workspaceId);
    const kinds = now.balance
      .map(({ kind }) => ({ kind, in: perSecond(then, now, kind, 'received', seconds), out: perSecond(then, now, kind, 'delivered', seconds) }))
      .filter((rate) => busyness(rate) > 0)
      .sort((a, b) => busyness(b) - busyness(a));
    return { workspaceId: now.workspaceId, in: sumOf(kinds.map((rate) => rate.in)), out: sumOf(kinds.map((rate) => rate.out)), kinds };
  });
}

function perSecond(then: WorkspaceStats | undefined, now: WorkspaceStats, kind: Kind, entry: 'received' | 'delivered', seconds: number): Amount {
  const of = (stats: WorkspaceStats | undefined): Amount => stats?.balance.find((row) => row.kind === kind)?.[entry] ?? NOTHING;
  return { batches: (of(now).batches - of(then).batches) / seconds, bytes: (of(now).bytes - of(then).bytes) / seconds };
}

function sumOf(amounts: readonly Amount[]): Amount {
  return amounts.reduce((sum, { batches, bytes }) => ({ batches: sum.batches + batches, bytes: sum.bytes + bytes }), NOTHING);
}

function busyness(rate: Rate): number {
  return rate.in.bytes + rate.out.bytes + rate.in.batches + rate.out.batches;
}
