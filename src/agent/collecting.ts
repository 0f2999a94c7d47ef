import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createPause } from '../pause.ts';
import type { Collection } from './upload-body.ts';

/** Hands records to the queue; resolves when they are on disk. */
export type Put = (collection: Collection) => Promise<void>;

/** Something that looks at the machine now and then. */
export interface Collector {
  readonly name: string;
  /** Whose data it collects: as in the relay's table of solutions. */
  readonly solution: string;
  /** Milliseconds from the end of one look to the beginning of the next, unless somebody says otherwise. */
  readonly everyMs: number;
  collect(put: Put): Promise<void>;
  close?(): Promise<void>;
}

/** How often a collector looks now, in milliseconds; undefined while it is switched off. */
export type PaceOf = (collector: Collector) => number | undefined;

export interface Collecting {
  /** Paces may have changed: each collector goes on at its own. */
  adjust(): void;
  stop(): Promise<void>;
}

export interface CollectingParts {
  readonly put: Put;
  readonly paceOf: PaceOf;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Lets each collector look at once and then at its pace. One that fails is named once and goes on being asked; the others do not notice. */
export function startCollecting(collectors: readonly Collector[], parts: CollectingParts): Collecting {
  const loops = collectors.map((collector) => startLoop(collector, parts));
  return {
    adjust() {
      for (const loop of loops) loop.adjust();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

function startLoop(collector: Collector, { put, paceOf, clock, log }: CollectingParts): Collecting {
  const pause = createPause(clock);
  let stopping = false;
  let failures = 0;

  const look = async (): Promise<void> => {
    try {
      await collector.collect(put);
      if (failures > 0) log.info({ collector: collector.name, failures }, 'collecting works again');
      failures = 0;
    } catch (thrown) {
      failures += 1;
      if (failures === 1) log.warn({ collector: collector.name }, `collecting failed: ${messageOf(thrown)}`);
    }
  };
  /** Milliseconds until the next look, 0 or less when it is due; undefined while it is switched off. */
  const untilNext = (lastAt: number | undefined): number | undefined => {
    const everyMs = paceOf(collector);
    if (everyMs === undefined) return undefined;
    const sinceMs = lastAt === undefined ? everyMs : clock.now() - lastAt;
    // A look from the future was made before the clock was set back.
    return sinceMs < 0 ? 0 : everyMs - sinceMs;
  };
  const run = async (): Promise<void> => {
    let lastAt: number | undefined;
    while (!stopping) {
      const waitMs = untilNext(lastAt);
      if (waitMs === undefined || waitMs > 0) {
        await pause.wait(waitMs);
        continue;
      }
      await look();
      lastAt = clock.now();
    }
  };
  const running = run();
  return {
    adjust: pause.wake,
    async stop() {
      stopping = true;
      pause.wake();
      await running;
      await collector.close?.();
    },
  };
}
