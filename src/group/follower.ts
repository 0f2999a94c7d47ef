/**
 * A member's side of the copy: asks the primary for the next snapshot, again and again by long poll, so that a change is known within a second.
 * While the primary is away the member goes on with the copy that it has.
 */
import type { Clock } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createPause } from '../pause.ts';
import type { GroupState } from './group-file.ts';
import { type Claim, primaryOf } from './membership.ts';
import { claimSchema, readMessage } from './messages.ts';
import { SNAPSHOT_PATH } from './paths.ts';
import type { PeerLink } from './peer-link.ts';
import { type Snapshot, unpackSnapshot } from './snapshot.ts';

/** How long the primary may keep a question back, in seconds: an unchanged copy is confirmed as often. */
const WAIT_S = 10;
const ANSWER_MS = 10_000;
const AFTER_FAILURE_MS = 2_000;

/** How the copy is. */
export interface CopyState {
  readonly version: string | undefined;
  readonly confirmedAt: number | undefined;
  readonly trouble: string | undefined;
}

export interface Follower {
  start(): void;
  stop(): Promise<void>;
  /** Asks at once, and takes over what there is. Throws when the primary does not answer. */
  refresh(): Promise<void>;
  copy(): CopyState;
}

export interface FollowerParts {
  readonly state: GroupState;
  readonly link: PeerLink;
  /** Takes over a snapshot of the primary. */
  readonly adopt: (snapshot: Snapshot) => Promise<void>;
  /** Hears of another primary. */
  readonly believe: (claim: Claim) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createFollower({ state, link, adopt, believe, clock, log }: FollowerParts): Follower {
  const stopping = new AbortController();
  let copy: CopyState = { version: undefined, confirmedAt: undefined, trouble: undefined };
  let adopting: Promise<unknown> = Promise.resolve();
  let running: Promise<void> = Promise.resolve();
  const pause = createPause(clock);

  const takeOver = (bytes: Buffer): Promise<void> => {
    const taken = adopting.then(async () => adopt(await unpackSnapshot(bytes)));
    adopting = taken.catch(() => {});
    return taken;
  };
  const confirmed = (version: string | undefined): void => {
    if (copy.trouble !== undefined) log.info('the primary answers again');
    copy = { version, confirmedAt: clock.now(), trouble: undefined };
  };
  const pull = async (waitS: number): Promise<void> => {
    const file = state.current();
    const primary = file && primaryOf(file);
    if (!primary || primary.id === file.id) return;
    const known = copy.version === undefined ? {} : { 'if-none-match': `"${copy.version}"` };
    const path = `${SNAPSHOT_PATH}?wait=${waitS}`;
    const answer = await link.call(primary, { method: 'GET', path, headers: known, timeoutMs: waitS * 1_000 + ANSWER_MS, signal: stopping.signal });
    if (answer.status === 304) return confirmed(copy.version);
    if (answer.status === 409) {
      await believe(readMessage(claimSchema, answer.body));
      if (state.current() === file)
        throw new RelayError('relay.group.not-primary', `The relay ${primary.name} says that it is not the primary, and names none.`);
      return;
    }
    if (answer.status !== 200) throw refusal(primary.name, answer.status, answer.body);
    await takeOver(answer.body);
    confirmed(String(answer.headers['etag']).replaceAll('"', ''));
  };
  // Many ask for it at once: those that come while one question is on its way share the next.
  let asking: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const refresh = (): Promise<void> => {
    if (!asking) {
      asking = pull(0).finally(() => {
        asking = undefined;
      });
      return asking;
    }
    next ??= asking
      .catch(() => {})
      .then(() => {
        next = undefined;
        return refresh();
      });
    return next;
  };
  const failed = (error: unknown): void => {
    const trouble = messageOf(error);
    if (copy.trouble === undefined) log.warn({ reason: trouble }, 'the primary of the group does not answer; this relay goes on with the copy that it has');
    copy = { ...copy, trouble };
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (state.role() !== 'member') {
        copy = { version: undefined, confirmedAt: undefined, trouble: undefined };
        await pause.wait();
        continue;
      }
      const term = state.current()?.term;
      try {
        await pull(WAIT_S);
        // One that has just become a member of another primary asks that one at once.
        if (state.current()?.term !== term) copy = { ...copy, version: undefined };
      } catch (error) {
        if (stopping.signal.aborted) return;
        failed(error);
        await pause.wait(AFTER_FAILURE_MS);
      }
    }
  };
  const stopListening = state.onChange(pause.wake);
  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      stopListening();
      pause.wake();
      await running;
    },
    refresh,
    copy: () => copy,
  };
}

function refusal(primary: string, status: number, body: Buffer): RelayError {
  const said = body.toString('utf8', 0, 500);
  const reason = /"message":"([^"]*)"/.exec(said)?.[1] ?? said;
  return new RelayError('relay.group.refused', `The primary ${primary} answered ${status}: ${reason}`);
}
