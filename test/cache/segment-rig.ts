import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PayloadStore } from '../../src/cache/payload-store.ts';
import { openSegmentStore } from '../../src/cache/segment-store.ts';
import { silentLogger } from '../../src/logger.ts';
import type { KeyRing } from '../../src/workspace/key-ring.ts';
import type { PayloadStoreRig } from '../contracts/payload-store-contract.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { newKeys, START_MS, seededBytes, WORKSPACE } from './batches.ts';

export interface SegmentRig extends PayloadStoreRig {
  readonly folder: string;
  readonly clock: ManualClock;
  /** Bytes reported as damaged by the opening of the store, one entry a stretch. */
  readonly damage: number[];
  /** What the next opening uses. */
  keys: KeyRing;
  open(more?: { readonly segmentBytes?: number; readonly memoryBytes?: number }): Promise<PayloadStore>;
  /** Names of the segment files of the first workspace. */
  segments(): Promise<string[]>;
}

/** A segment store in a folder of its own (or the one given), that reads its files unless told to keep memory. */
export async function segmentRig(given?: string): Promise<SegmentRig> {
  const temporary = given === undefined ? await temporaryFolder() : undefined;
  const folder = given ?? temporary?.path ?? '';
  const clock = createManualClock(START_MS);
  const damage: number[] = [];
  const random = seededBytes(99);
  const rig: SegmentRig = {
    folder,
    clock,
    damage,
    keys: newKeys(),
    open: (more = {}) =>
      openSegmentStore(
        { folder, segmentBytes: more.segmentBytes ?? 1_000_000, memoryBytes: more.memoryBytes ?? 0 },
        { keys: rig.keys, clock, random, log: silentLogger, onDamage: (bytes) => damage.push(bytes) },
      ),
    async segments() {
      const files = await readdir(join(folder, WORKSPACE)).catch(() => []);
      return files.filter((file) => file.endsWith('.segment')).sort();
    },
    [Symbol.asyncDispose]: async () => temporary?.[Symbol.asyncDispose](),
  };
  return rig;
}
