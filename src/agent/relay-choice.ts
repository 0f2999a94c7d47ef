/**
 * Which of the group's relays the agent uses: pure but for what it remembers. It stays with one until that one fails twice in a row, goes on to
 * the next, and stays there; after some minutes it may ask whether the preferred one is back.
 */
import type { AgentSettings } from './agent-folder.ts';
import type { Answer } from './connection.ts';

/** A connection that broke by chance is no reason to leave a relay. */
const FAILURES_TO_LEAVE = 2;
/** When the preferred relay is asked again, in milliseconds. */
const PREFERRED_AGAIN_MS = 5 * 60_000;
/** A site's agents come back one after the other: up to this share later. */
const SPREAD = 0.5;

/** Refusals with 503 that another relay would give as well, or that say nothing about the relay. */
const NOT_ITS_FAULT = ['relay.cache.held', 'relay.agent.too-many-waiting', 'relay.agent.no-token-now', 'relay.group.primary-away'];

export interface RelayChoiceParts {
  /** Between 0 and 1. */
  readonly chance: () => number;
  readonly now: () => number;
}

export interface RelayChoice {
  current(): string;
  /** All that may be used, the preferred one first. */
  all(): readonly string[];
  /** What the relay named, in the order in which to try them. The one in use stays if it is among them. True when that is another now. */
  use(relays: readonly string[]): boolean;
  /** Notes that a relay answered as it should. */
  answered(relay: string): void;
  /** Notes that it did not; true when another is to be used from now on. */
  failed(relay: string): boolean;
  /** The preferred relay, when it is time to ask whether it is back; asked for once in a while only. */
  toAskAgain(): string | undefined;
  /** Goes back to it. */
  goBack(): void;
}

export function createRelayChoice(relays: readonly [string, ...string[]], { chance, now }: RelayChoiceParts): RelayChoice {
  let all: readonly string[] = relays;
  let current = relays[0];
  let failures = 0;
  let askAgainAt = Number.POSITIVE_INFINITY;

  const planToAsk = (): void => {
    askAgainAt = current === all[0] ? Number.POSITIVE_INFINITY : now() + PREFERRED_AGAIN_MS * (1 + SPREAD * chance());
  };
  const goTo = (relay: string): boolean => {
    const isOther = relay !== current;
    current = relay;
    failures = 0;
    if (isOther) planToAsk();
    return isOther;
  };
  return {
    current: () => current,
    all: () => all,
    use(named) {
      const [first = current] = named;
      if (named.length > 0) all = named;
      if (!all.includes(current)) return goTo(first);
      if (askAgainAt === Number.POSITIVE_INFINITY) planToAsk();
      return false;
    },
    answered(relay) {
      if (relay === current) failures = 0;
    },
    failed(relay) {
      if (relay !== current) return false;
      failures += 1;
      if (failures < FAILURES_TO_LEAVE || all.length < 2) return false;
      return goTo(all[(all.indexOf(current) + 1) % all.length] ?? current);
    },
    toAskAgain() {
      if (now() < askAgainAt) return undefined;
      planToAsk();
      return current === all[0] ? undefined : all[0];
    },
    goBack() {
      goTo(all[0] ?? current);
    },
  };
}

/**
 * The relays to try, in this order: the one where the agent enrolled first, where that is still among those that the relay named. Before a relay has
 * named any, those that were given at enrolment, and the one in use.
 */
export function relaysToTry(
  { relay, relays = [] }: Pick<AgentSettings, 'relay' | 'relays'>,
  named: readonly string[] | undefined,
  inUse: string = relay,
): readonly [string, ...string[]] {
  const order = named === undefined ? [relay, ...relays, inUse] : named.includes(relay) ? [relay, ...named] : [...named, relay];
  const [first = relay, ...rest] = new Set(order);
  return [first, ...rest];
}

/**
 * Whether an answer says that its relay cannot do its work now, where another could; undefined stands for no answer. A relay that keeps its agents
 * waiting because their workspace is away does its work.
 */
export function isRelayInTrouble(answer: Answer | undefined): boolean {
  if (answer === undefined) return true;
  const { status, text } = answer;
  if (status === 503) return !NOT_ITS_FAULT.some((code) => text.includes(code));
  return status === 500 || status === 502 || status === 504;
}
