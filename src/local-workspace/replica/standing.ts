import type { ReplicaParts } from './replica.ts';

/** How a replica stands. `behind`: it is there, and not everything is copied yet. */
export interface Standing {
  readonly status: 'in-step' | 'behind' | 'away' | 'superseded';
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  /** Why it is away, or superseded. */
  readonly reason: string | undefined;
}

/** Keeps how the replica stands, and says each change once. */
export function createStanding({ settings, clock, log, onStanding }: Pick<ReplicaParts, 'settings' | 'clock' | 'log' | 'onStanding'>): {
  now(): Standing;
  status(): Standing['status'];
  reason(): string | undefined;
  become(status: Standing['status'], reason?: string): void;
} {
  const { folder, mode, whenAway } = settings;
  let now: Standing = { status: 'behind', since: clock.now(), reason: undefined };
  return {
    now: () => now,
    status: () => now.status,
    reason: () => now.reason,
    become(status, reason) {
      if (status === now.status) return;
      now = { status, since: clock.now(), reason };
      onStanding?.(now);
      if (status === 'in-step') log.info({ folder }, 'the replica has everything');
      if (status === 'away')
        log.error({ folder, reason, intake: mode === 'sync' ? whenAway : 'go-on' }, 'the replica is away; it is tried again every ten seconds');
      if (status === 'superseded') log.error({ folder, reason }, 'another data folder took over; this one is not written any more');
    },
  };
}
