/** The primary's snapshot, made anew when something has changed; relays that have the newest one wait here for the next. */
import { createHash } from 'node:crypto';
import { type Clock, every } from '../clock.ts';
import { createWaitingRoom } from '../waiting-room.ts';
import { type PackedSnapshot, packSnapshot, type Snapshot } from './snapshot.ts';

/** How often it is looked whether something has changed, in milliseconds. The look itself costs nothing. */
const LOOK_EVERY_MS = 500;
/** While much changes, snapshots are made for this share of the time at most. */
const SHARE = 0.1;
const MOST_WAITING = 32;

export interface Snapshots {
  /** As all is now. */
  current(): Promise<PackedSnapshot>;
  /** The last one made: half a second old at most while little changes and somebody waits. */
  latest(): Promise<PackedSnapshot>;
  /** The version of the last one made; undefined before the first. */
  version(): string | undefined;
  /** Waits until there is another than `version`, `ms` are over, or `onGone` says that nobody waits any more. */
  wait(version: string, ms: number, onGone: (leave: () => void) => void): Promise<void>;
  stop(): void;
}

export interface SnapshotsParts {
  readonly take: () => Snapshot;
  /** A text that changes whenever the content may have. */
  readonly stamp: () => string;
  readonly clock: Clock;
}

export function createSnapshots({ take, stamp, clock }: SnapshotsParts): Snapshots {
  const room = createWaitingRoom(MOST_WAITING, clock);
  let last: { readonly stamp: string; readonly packed: Promise<PackedSnapshot> } | undefined;
  let version: string | undefined;
  let restUntil = Number.NEGATIVE_INFINITY;

  const current = (): Promise<PackedSnapshot> => {
    const now = createHash('sha256').update(stamp()).digest('hex');
    if (last?.stamp === now) return last.packed;
    const beganAt = clock.now();
    const packed = packSnapshot(take());
    last = { stamp: now, packed };
    packed.then(
      (made) => {
        restUntil = clock.now() + (clock.now() - beganAt) / SHARE;
        if (made.version !== version) room.release();
        version = made.version;
      },
      () => {
        last = undefined;
      },
    );
    return packed;
  };
  const stopLooking = every(clock, LOOK_EVERY_MS, async () => {
    if (room.waiting() > 0 && clock.now() >= restUntil) await current();
  });
  const latest = (): Promise<PackedSnapshot> => last?.packed ?? current();
  return {
    current,
    latest,
    version: () => version,
    async wait(known, ms, onGone) {
      if ((await latest()).version === known) await room.wait(ms, onGone);
    },
    stop() {
      stopLooking();
      room.close();
    },
  };
}
