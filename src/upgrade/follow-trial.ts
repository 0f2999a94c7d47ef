import { RelayError } from '../errors.ts';
import type { Places } from '../host/places.ts';
import { TRIAL_UNIT } from './relay-service.ts';
import { type Phase, readOutcome, readTrial, type Trial, type TrialOutcome } from './trial-file.ts';
import type { Pace } from './watch-release.ts';

const LOOK_MS = 500;
/** What the steps around the first watch may take, and the old release's start. */
const MARGIN_MS = 30 * 60_000;

const SENTENCES: Readonly<Record<Phase, (trial: Trial) => string>> = {
  prepared: ({ to }) => `The trial of ${to.version} begins. It goes on without this command: relay upgrade --status`,
  changing: () => 'The relay is stopped, and the release changed …',
  watching: ({ to, withinMs }) => `${to.version} is started, and must be well within ${withinMs / 1000} s …`,
  settled: ({ to }) => `${to.version} is well.`,
  returning: ({ to, from, why }) => `${to.version} is taken back, ${from.version} started again: ${why ?? 'it was interrupted'}`,
  restoring: () => 'What the new release had changed is put back …',
  restored: ({ from }) => `${from.version} is started …`,
};

/** What a trial is doing, in a sentence. */
export function sentenceOf(trial: Trial): string {
  return SENTENCES[trial.phase](trial);
}

export interface FollowParts {
  /** Has the trial carried out by a process that outlives this one. May resolve at once, or at the trial's end. */
  readonly start: () => Promise<void>;
  readonly pace: Pace;
  readonly tell: (sentence: string) => void;
}

/**
 * Has a prepared trial carried out and follows it, telling each phase; undefined when it has not ended after all the time that it may take. Throws
 * `relay.upgrade.not-begun` when nobody begins it: it stays prepared then.
 */
export async function followTrial(places: Pick<Places, 'trial'>, prepared: Trial, { start, pace, tell }: FollowParts): Promise<TrialOutcome | undefined> {
  const end = pace.elapsed() + 2 * prepared.withinMs + 2 * prepared.steadyMs + MARGIN_MS;
  let failure: unknown;
  start().catch((error: unknown) => {
    failure = error;
  });
  let phase: Phase | undefined;
  while (pace.elapsed() < end) {
    const trial = await readTrial(places);
    if (!trial) return await readOutcome(places);
    if (failure !== undefined && trial.phase === 'prepared') throw notBegun(failure);
    if (trial.phase !== phase) tell(sentenceOf(trial));
    phase = trial.phase;
    await pace.pause(LOOK_MS);
  }
  return undefined;
}

function notBegun(cause: unknown): RelayError {
  return new RelayError(
    'relay.upgrade.not-begun',
    `The release is installed, but its trial did not begin. Nothing that runs was changed. Begin it with: systemctl start ${TRIAL_UNIT}`,
    { cause },
  );
}
