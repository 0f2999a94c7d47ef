import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createPause } from './pause.ts';
import type { Collection } from './upload-body.ts';

/** Hands records to the queue; resolves when they are on disk. */
export type Put = (collection: Collection) => Promise<void>;

/** Something that looks at the machine now and then. */
export interface Collector {
  readonly name: string;
  /** Milliseconds from the end of one look to the beginning of the next. */
  readonly everyMs: number;
  collect(put: Put): Promise<void>;
  close?(): Promise<void>;
}

export interface Collecting {
  stop(): Promise<void>;
}

/** Lets each collector look at once and then at its interval. One that fails is named once and goes on being asked; the others do not notice. */
export function startCollecting(collectors: readonly Collector[], put: Put, clock: Clock, log: Logger): Collecting {
  const loops = collectors.map((collector) => startLoop(collector, put, clock, log));
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

function startLoop(collector: Collector, put: Put, clock: Clock, log: Logger): Collecting {
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
  const run = async (): Promise<void> => {
    while (!stopping) {
      await look();
      if (!stopping) await pause.wait(collector.everyMs);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping = true;
      pause.wake();
      await running;
      await collector.close?.();
    },
  };
}
