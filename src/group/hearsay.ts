/**
 * What the other relays of the group have heard of agents: each relay counts only what comes to itself, and an agent is silent only when no relay
 * of the group hears of it. In memory: it is asked for again within a minute of a start.
 */
import { z } from 'zod';
import { type Clock, every } from '../clock.ts';
import type { Agent, AgentKey } from '../management-group/agent.ts';
import { keyOf } from '../management-group/agent-index.ts';
import type { GroupState } from './group-file.ts';
import type { Member } from './member.ts';
import { readMessage } from './messages.ts';
import { HEARD_PATH } from './paths.ts';
import type { PeerLink } from './peer-link.ts';

const EVERY_MS = 60_000;
/** Each question goes back by this much more than the time since the last, so that nothing falls between two. */
const OVERLAP_MS = 30_000;

/** When an agent was last heard of, and when its data came last; milliseconds since 1970. */
export interface Heard {
  readonly seenAt: number;
  readonly dataAt: number;
}

const answer: z.ZodType<readonly (readonly [string, number, number])[]> = z.array(z.tuple([z.string().max(100), z.number(), z.number()])).max(1_000_000);

/** What this relay has heard of agents since a time, as another relay asks for it. */
export function heardSince(agents: readonly Agent[], since: number): readonly (readonly [string, number, number])[] {
  return agents.filter(({ lastSeenAt }) => lastSeenAt >= since).map((agent) => [keyOf(agent), agent.lastSeenAt, lastDataAt(agent)]);
}

function lastDataAt({ solutions, firstSeenAt }: Agent): number {
  return Object.values(solutions).reduce((last, at) => Math.max(last, at), firstSeenAt);
}

export interface Hearsay {
  /** What another relay has heard of an agent; undefined when none has since this one started. */
  of(agent: AgentKey): Heard | undefined;
  /** Asks all others once. */
  ask(): Promise<void>;
  start(): void;
  stop(): void;
}

export interface HearsayParts {
  readonly state: GroupState;
  readonly link: PeerLink;
  readonly clock: Clock;
}

export function createHearsay({ state, link, clock }: HearsayParts): Hearsay {
  const heard = new Map<string, Heard>();
  const askedAt = new Map<string, number>();
  let stop = (): void => {};

  const askOne = async (member: Member): Promise<void> => {
    const since = (askedAt.get(member.id) ?? clock.now() - 86_400_000) - OVERLAP_MS;
    const now = clock.now();
    const { status, body } = await link.call(member, { method: 'GET', path: `${HEARD_PATH}?since=${since}` });
    if (status !== 200) return;
    for (const [key, seenAt, dataAt] of readMessage(answer, body)) {
      const before = heard.get(key);
      heard.set(key, { seenAt: Math.max(seenAt, before?.seenAt ?? 0), dataAt: Math.max(dataAt, before?.dataAt ?? 0) });
    }
    askedAt.set(member.id, now);
  };
  const ask = async (): Promise<void> => {
    const file = state.current();
    const others = file?.members.filter(({ id }) => id !== file.id) ?? [];
    // One that does not answer is told of elsewhere, and asked for more the next time.
    await Promise.all(others.map((member) => askOne(member).catch(() => {})));
  };
  return {
    of: (agent) => heard.get(keyOf(agent)),
    ask,
    start() {
      void ask();
      stop = every(clock, EVERY_MS, ask);
    },
    stop: () => stop(),
  };
}
