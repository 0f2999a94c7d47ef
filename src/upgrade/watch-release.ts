/** Starts the relay and looks at it until it is known whether it is well. */
import { messageOf } from '../errors.ts';
import { BEGINNING, type Expected, type Judgement, judge, type Look } from './health-rule.ts';
import type { RelayService } from './relay-service.ts';

const LOOK_MS = 500;
const START_AGAIN_MS = 1_000;
const MOST_STARTS = 3;

/** Time that a clock that is set does not touch. */
export interface Pace {
  /** Milliseconds since some moment. */
  elapsed(): number;
  pause(ms: number): Promise<void>;
}

export interface WatchParts {
  readonly service: RelayService;
  /** How the relay at this socket is; undefined when it does not answer. */
  readonly status: (socket: string) => Promise<Look['status']>;
  readonly pace: Pace;
}

/** Starts the relay and judges it every half second. */
export async function watchRelease(
  expected: Expected,
  socket: string,
  { service, status, pace }: WatchParts,
): Promise<Exclude<Judgement, { verdict: 'waiting' }>> {
  const starting = keepStarting(service, pace);
  const begin = pace.elapsed();
  let course = BEGINNING;
  try {
    for (;;) {
      const [isActive, answer] = [await service.isActive(), await status(socket)];
      const look: Look = { atMs: pace.elapsed() - begin, isActive, failedStarts: starting.failures(), status: answer };
      const judgement = judge(expected, look, course);
      if (judgement.verdict === 'well') return judgement;
      if (judgement.verdict === 'unwell') return { verdict: 'unwell', why: withReason(judgement.why, starting.lastFailure()) };
      course = judgement.course;
      await pace.pause(LOOK_MS);
    }
  } finally {
    starting.end();
  }
}

interface Starting {
  failures(): number;
  lastFailure(): string | undefined;
  end(): void;
}

// A start is waited for by nobody: one that hangs must not keep us from judging. One that fails is tried again, for what passes by itself.
function keepStarting(service: RelayService, pace: Pace): Starting {
  let [failures, hasEnded, lastFailure] = [0, false, undefined as string | undefined];
  const run = async (): Promise<void> => {
    while (!hasEnded && failures < MOST_STARTS) {
      try {
        await service.start();
        return;
      } catch (error) {
        failures += 1;
        lastFailure = messageOf(error);
      }
      await pace.pause(START_AGAIN_MS);
    }
  };
  void run();
  return {
    failures: () => failures,
    lastFailure: () => lastFailure,
    end() {
      hasEnded = true;
    },
  };
}

// The last lines that a failure tells of are asked for by themselves.
function withReason(why: string, failure: string | undefined): string {
  const reason = failure?.split(' Its last lines:')[0];
  return reason === undefined ? why : `${why}: ${reason}`;
}
