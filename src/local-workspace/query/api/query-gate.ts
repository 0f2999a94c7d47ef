/** Keeps one user from taking the service away from the others (Azure Monitor: "User query throttling"). */
import type { Clock } from '../../../clock.ts';
import type { QueryError } from './error-reply.ts';
import { MAX_QUEUED, MAX_REQUESTS, MAX_RUNNING, QUEUE_TIMEOUT_MS, REQUEST_WINDOW_MS } from './limits.ts';

/** When to come again after a full queue: some of it has moved by then. */
const QUEUE_RETRY_AFTER_S = 30;
/** Users beyond this number are looked through for those who have gone quiet. */
const MAX_IDLE_USERS = 1_000;

export type Entered =
  | { readonly kind: 'entered'; readonly leave: () => void }
  | { readonly kind: 'refused'; readonly error: QueryError }
  /** Nobody waits for the answer any more. */
  | { readonly kind: 'gone' };

export interface QueryGate {
  /** Counts a request: 200 in any 30 seconds. One that is refused is not counted. */
  admit(user: string): QueryError | undefined;
  /** Waits for one of the user's five places, three minutes at most, first come first served. `onGone` is given what to call when the client has gone. */
  enter(user: string, onGone: (leave: () => void) => void): Promise<Entered>;
}

interface User {
  /** When the requests of the last 30 seconds came, the oldest first. */
  requests: number[];
  running: number;
  readonly queue: Set<(entered: Entered) => void>;
}

export function createQueryGate(clock: Clock): QueryGate {
  const users = new Map<string, User>();

  const userOf = (id: string): User => {
    const known = users.get(id);
    if (known) return known;
    if (users.size >= MAX_IDLE_USERS) forgetIdle(users, clock.now());
    const user: User = { requests: [], running: 0, queue: new Set() };
    users.set(id, user);
    return user;
  };

  const run = (user: User): Entered => {
    user.running += 1;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      user.running -= 1;
      const [next] = user.queue;
      if (next) next(run(user));
    };
    return { kind: 'entered', leave };
  };

  const wait = (user: User, onGone: (leave: () => void) => void): Promise<Entered> =>
    new Promise((resolve) => {
      const settle = (entered: Entered): void => {
        if (!user.queue.delete(settle)) return;
        cancel();
        resolve(entered);
      };
      const cancel = clock.after(QUEUE_TIMEOUT_MS, () => settle(tooLong()));
      user.queue.add(settle);
      onGone(() => settle({ kind: 'gone' }));
    });

  return {
    admit(id) {
      const user = userOf(id);
      const now = clock.now();
      user.requests = recent(user, now);
      const [oldest = now] = user.requests;
      if (user.requests.length >= MAX_REQUESTS) return tooMany(oldest + REQUEST_WINDOW_MS - now);
      user.requests.push(now);
      return undefined;
    },
    async enter(id, onGone) {
      const user = userOf(id);
      if (user.running < MAX_RUNNING) return run(user);
      return user.queue.size >= MAX_QUEUED ? full() : wait(user, onGone);
    },
  };
}

function recent({ requests }: User, now: number): number[] {
  return requests.filter((at) => at > now - REQUEST_WINDOW_MS);
}

function forgetIdle(users: Map<string, User>, now: number): void {
  for (const [id, user] of users) {
    if (user.running === 0 && user.queue.size === 0 && recent(user, now).length === 0) users.delete(id);
  }
}

function tooMany(ms: number): QueryError {
  const retryAfterS = Math.max(1, Math.ceil(ms / 1_000));
  const message = `A user may make ${MAX_REQUESTS} requests in ${REQUEST_WINDOW_MS / 1_000} s, and made them. Come again in ${retryAfterS} s.`;
  return { error: 'tooManyRequests', message, retryAfterS };
}

function full(): Entered {
  const message = `${MAX_RUNNING} queries of this user run and ${MAX_QUEUED} wait, the most there may be. Come again in ${QUEUE_RETRY_AFTER_S} s.`;
  return { kind: 'refused', error: { error: 'queueFull', message, retryAfterS: QUEUE_RETRY_AFTER_S } };
}

function tooLong(): Entered {
  const message = `The query waited ${QUEUE_TIMEOUT_MS / 1_000} s behind ${MAX_RUNNING} others of this user. Come again in ${QUEUE_RETRY_AFTER_S} s, or run fewer at a time.`;
  return { kind: 'refused', error: { error: 'queueTimeout', message, retryAfterS: QUEUE_RETRY_AFTER_S } };
}
