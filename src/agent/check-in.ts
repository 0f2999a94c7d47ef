import { type AgentConfiguration, CONFIGURATION_PATH, readAgentConfiguration } from '../check-in/agent-configuration.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createPause } from '../pause.ts';
import { USER_AGENT } from './agent-version.ts';
import type { Answer, Connection } from './connection.ts';
import type { Instructions } from './instructions.ts';
import { nextStep } from './next-attempt.ts';
import { readRefusal } from './refusal.ts';

/** How long the relay may keep a question back until something has changed, in seconds. */
const WAIT_S = 55;
/** Between an answer and the next question, so that a relay that does not keep it back is not asked without pause. */
const BREATH_MS = 1_000;
/** An older relay has no answer; it may be a newer one by then. */
const OLDER_RELAY_WAIT_MS = 5 * 60_000;

export interface CheckIn {
  start(): void;
  stop(): Promise<void>;
}

export interface CheckInParts {
  readonly link: Pick<Connection, 'get'>;
  readonly instructions: Instructions;
  /** Takes the management group's roots as the relay says them, over a connection that a root it trusts has vouched for. */
  readonly learnRoots: (roots: readonly string[]) => Promise<void>;
  /** Between 0 and 1. */
  readonly chance: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Asks the relay what to collect and where to send it, again and again by long poll: a change is known within seconds. */
export function createCheckIn({ link, instructions, learnRoots, chance, clock, log }: CheckInParts): CheckIn {
  const pause = createPause(clock);
  const stopping = new AbortController();
  let failures = 0;
  let trouble = '';
  let running: Promise<void> = Promise.resolve();

  const say = (what: string): void => {
    if (what !== trouble) log.warn(what);
    trouble = what;
  };
  const ask = async (): Promise<Answer> => {
    const version = instructions.current()?.version;
    const known = version === undefined ? {} : { 'if-none-match': `"${version}"` };
    // What is asked for the first time, or after a failure, is answered at once.
    const wait = version === undefined || failures > 0 ? '' : `?wait=${WAIT_S}`;
    return await link.get(`${CONFIGURATION_PATH}${wait}`, { ...known, 'user-agent': USER_AGENT }, stopping.signal);
  };
  const follow = async (configuration: AgentConfiguration): Promise<void> => {
    await learnRoots(configuration.roots);
    if (configuration.version === instructions.current()?.version) return;
    await instructions.follow(configuration);
    log.info({ version: configuration.version }, 'the relay has said what to collect and where to send it');
  };
  const failed = (answer: Answer | undefined, why: string): number => {
    failures += 1;
    say(`the relay did not say what to collect: ${why}. What it said last stays`);
    const next = nextStep(answer, { failures, now: clock.now(), chance: chance() });
    return 'waitMs' in next ? next.waitMs : OLDER_RELAY_WAIT_MS;
  };
  /** Milliseconds until the next question. */
  const round = async (): Promise<number> => {
    const answer = await ask();
    if (answer.status === 404) {
      await instructions.forget();
      return OLDER_RELAY_WAIT_MS;
    }
    if (answer.status !== 200 && answer.status !== 304) {
      const { status, reason, message } = readRefusal(answer);
      return failed(answer, `${status} ${reason}: ${message}`);
    }
    if (answer.status === 200) await follow(readAgentConfiguration(answer.text));
    failures = 0;
    trouble = '';
    return BREATH_MS;
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const waitMs = await round().catch((thrown: unknown) => (stopping.signal.aborted ? 0 : failed(undefined, messageOf(thrown))));
      if (!stopping.signal.aborted) await pause.wait(waitMs);
    }
  };
  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      pause.wake();
      await running;
    },
  };
}
