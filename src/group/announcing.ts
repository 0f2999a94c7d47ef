/** The primary tells every other relay that it is the primary, and hears in return whether that still holds: so that there is never more than one for long. */
import { type Clock, every } from '../clock.ts';
import type { GroupFile, GroupState } from './group-file.ts';
import type { Member, MemberId } from './member.ts';
import { type Claim, claimOf, judge } from './membership.ts';
import { primaryAnswer, readMessage } from './messages.ts';
import { PRIMARY_PATH } from './paths.ts';
import type { PeerLink } from './peer-link.ts';

const EVERY_MS = 5_000;
const ANSWER_MS = 3_000;

/** What was last heard of a member. */
export interface News {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of its copy. */
  readonly version: string | undefined;
}

export interface Announcing {
  /** Tells everybody once, 3 s at most; gives how many answered, of how many. */
  tell(): Promise<{ readonly answered: number; readonly of: number }>;
  start(): void;
  stop(): void;
  newsOf(id: MemberId): News | undefined;
}

export interface AnnouncingParts {
  readonly state: GroupState;
  readonly link: PeerLink;
  /** Hears of another primary. */
  readonly believe: (claim: Claim) => Promise<void>;
  readonly clock: Clock;
}

export function createAnnouncing({ state, link, believe, clock }: AnnouncingParts): Announcing {
  const news = new Map<MemberId, News>();
  let stop = (): void => {};

  const tellOne = async (file: GroupFile, member: Member): Promise<boolean> => {
    try {
      const body = JSON.stringify(claimOf(file));
      const answer = await link.call(member, {
        method: 'POST',
        path: PRIMARY_PATH,
        headers: { 'content-type': 'application/json' },
        body,
        timeoutMs: ANSWER_MS,
      });
      if (answer.status !== 200) return false;
      const { claim, version } = readMessage(primaryAnswer, answer.body);
      news.set(member.id, { at: clock.now(), version });
      if (judge(file, claim) === 'newer') await believe(claim);
      return true;
    } catch {
      // Shown by how long it was not heard of.
      return false;
    }
  };
  const tell = async (): Promise<{ answered: number; of: number }> => {
    const file = state.current();
    if (!file || state.role() !== 'primary') return { answered: 0, of: 0 };
    const others = file.members.filter(({ id }) => id !== file.id);
    const answers = await Promise.all(others.map((member) => tellOne(file, member)));
    return { answered: answers.filter(Boolean).length, of: others.length };
  };
  return {
    tell,
    start() {
      stop = every(clock, EVERY_MS, async () => void (await tell()));
    },
    stop: () => stop(),
    newsOf: (id) => news.get(id),
  };
}
