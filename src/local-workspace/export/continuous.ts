import { type Clock, every } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Exporter, ExportJob, ExportOutcome } from './exporter.ts';

/** The job of the continuous export. */
export const CONTINUOUS = 'continuous';

export interface ContinuousParts {
  readonly exporter: Pick<Exporter, 'run'>;
  /** All tables when not given. */
  readonly tables?: ExportJob['tables'];
  /** Milliseconds between the end of a run and the next one. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ContinuousState {
  /** Everything received before this (milliseconds since 1970) is exported; undefined before the first run that went well. */
  readonly until: number | undefined;
  /** Why the last run failed; undefined when it did not. */
  readonly failure: string | undefined;
  /** When the runs began to fail; undefined when the last one did not. */
  readonly failingSince: number | undefined;
  readonly rows: number;
  readonly files: number;
}

export interface ContinuousExport {
  state(): ContinuousState;
  /** Runs now, or after the run that is under way. Never throws: `state` says what came of it. */
  runNow(): Promise<void>;
  /** Ends it; returns when a run that is under way has stopped. */
  stop(): Promise<void>;
}

/** Exports what is new now and every `everyMs`. A run that fails is told, and tried again at the next time: what waits meanwhile is exported then. */
export function startContinuousExport({ exporter, tables, everyMs, clock, log }: ContinuousParts): ContinuousExport {
  const ending = new AbortController();
  let state: ContinuousState = { until: undefined, failure: undefined, failingSince: undefined, rows: 0, files: 0 };
  let running: Promise<void> = Promise.resolve();

  const wentWell = ({ until, rows, files }: ExportOutcome): void => {
    if (state.failure !== undefined) log.info({ until: new Date(until).toISOString() }, 'the export works again; what waited is exported');
    state = { until, failure: undefined, failingSince: undefined, rows: state.rows + rows, files: state.files + files };
  };
  const wentWrong = (error: unknown): void => {
    if (ending.signal.aborted) return;
    const failure = messageOf(error);
    if (failure !== state.failure) log.error({ reason: failure }, 'the export does not go on; nothing is lost, and it is tried again');
    state = { ...state, failure, failingSince: state.failingSince ?? clock.now() };
  };
  const run = async (): Promise<void> => {
    if (ending.signal.aborted) return;
    await exporter.run({ name: CONTINUOUS, tables, signal: ending.signal }).then(wentWell, wentWrong);
  };
  const runNow = (): Promise<void> => {
    running = running.then(run);
    return running;
  };

  void runNow();
  const cancel = every(clock, everyMs, runNow);
  return {
    state: () => state,
    runNow,
    async stop() {
      cancel();
      ending.abort();
      await running;
    },
  };
}
