/**
 * Signing in to Azure: a token at hand whenever one is asked for. It is renewed at half its life, and kept to its end while that fails:
 * an outage of the sign-in service stops nothing for as long as the token lasts.
 *
 * Invariant: no secret, assertion or token is ever in a log line, a reason or the state.
 */
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { SignInOptions } from '../../workspace/sign-in-options.ts';
import type { SignInState } from '../../workspace/sign-in-state.ts';
import type { Road } from '../path/road.ts';
import { createCredentialFile, type FoundCredential } from './credential.ts';
import { watchExpiry } from './expiry.ts';
import { requestToken } from './request-token.ts';

/** The wait doubles from the first to the second, in milliseconds. */
const SHORTEST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A token that was refused is given up no more often. */
const REFUSED_EVERY_MS = 60_000;
const SHORTEST_REFRESH_MS = 1_000;
/** A token that ends while the request is on its way would be refused. */
const LONGEST_MARGIN_MS = 30_000;

/** A token, or why there is none: in words, for the operator. */
export type SignedIn = { readonly outcome: 'token'; readonly token: string } | { readonly outcome: 'none'; readonly reason: string };

export interface SignIn {
  /** Never rejects, and waits no longer than one try takes. */
  token(): Promise<SignedIn>;
  /** The service refused the token (401): it is dropped, and the next `token` gets another one. At most once a minute. */
  refused(): void;
  state(): SignInState;
  close(): void;
}

export interface SignInParts {
  /** The only road to the sign-in service; the system's own way unless given. Whoever made it closes it. */
  readonly road?: Road | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the options stand in the configuration, for messages; `ingestion.signIn` unless given. */
  readonly section?: string;
  /** Told whenever the state has changed. */
  readonly onState?: ((state: SignInState) => void) | undefined;
}

interface Held {
  readonly token: string;
  readonly from: number;
  readonly endsAt: number;
  /** Version of the credential it was got with. */
  readonly version: string;
}

interface Failures {
  readonly count: number;
  readonly reason: string;
  readonly nextAt: number;
  readonly version: string;
}

/** Prepares signing in. Nothing is sent before the first `token`. */
export function createSignIn(options: SignInOptions, { road, clock, log, section = 'ingestion.signIn', onState }: SignInParts): SignIn {
  const file = createCredentialFile(options, (message) => log.warn(message));
  let held: Held | undefined;
  let failures: Failures | undefined;
  let secretEndsAt = options.secretEndsAt === undefined ? undefined : Date.parse(options.secretEndsAt);
  let refreshDueAt: number | undefined;
  let cancelRefresh = (): void => {};
  let trying: { readonly version: string; readonly done: Promise<void> } | undefined;
  let lastRefusedAt = Number.NEGATIVE_INFINITY;
  const ending = new AbortController();
  const state = (): SignInState => ({ endsAt: held?.endsAt, refreshDueAt, lastError: failures?.reason, secretEndsAt });
  const expiry = watchExpiry({ endsAt: () => secretEndsAt, what: options.method === 'client-certificate' ? 'certificate' : 'secret', clock, log });

  const forgetRefresh = (): void => {
    cancelRefresh();
    refreshDueAt = undefined;
  };
  const planRefresh = (waitMs: number): void => {
    cancelRefresh();
    refreshDueAt = clock.now() + waitMs;
    cancelRefresh = clock.after(waitMs, () => void refresh());
  };

  const succeeded = (found: FoundCredential, { token, lifeMs }: { readonly token: string; readonly lifeMs: number }, startedAt: number): void => {
    if (failures) log.info('signing in works again');
    failures = undefined;
    held = { token, from: startedAt, endsAt: startedAt + lifeMs, version: found.version };
    planRefresh(Math.max(SHORTEST_REFRESH_MS, lifeMs / 2));
    onState?.(state());
  };

  const failed = (version: string, reason: string, isRefusal: boolean): void => {
    // What the service said of a new credential is true of it: an older one's token must not hide that.
    if (isRefusal && held && held.version !== version) held = undefined;
    if (failures?.reason !== reason) log.error({ reason }, held ? 'signing in failed; the token at hand is used until it ends' : 'signing in failed');
    const count = (failures?.version === version ? failures.count : 0) + 1;
    const waitMs = Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** (count - 1));
    failures = { count, reason, nextAt: clock.now() + waitMs, version };
    if (held && held.endsAt > clock.now()) planRefresh(waitMs);
    else forgetRefresh();
    onState?.(state());
  };

  const attempt = async (found: FoundCredential): Promise<void> => {
    const startedAt = clock.now();
    const result = await requestToken(options, found.credential, { road, clock, section, signal: ending.signal });
    if (ending.signal.aborted) return;
    if (result.outcome === 'token') succeeded(found, result, startedAt);
    else failed(found.version, result.reason, result.outcome === 'refused');
  };

  // Whoever asks while a try is under way waits for that one.
  const tryOnce = (found: FoundCredential): Promise<void> => {
    if (trying?.version === found.version) return trying.done;
    const done = (trying?.done ?? Promise.resolve()).then(() => attempt(found));
    const mine = { version: found.version, done };
    trying = mine;
    const clear = (): void => {
      if (trying === mine) trying = undefined;
    };
    done.then(clear, clear);
    return done;
  };
  const readCredential = async (): Promise<FoundCredential | string> => {
    try {
      const found = await file.read();
      if (found.endsAt !== undefined && found.endsAt !== secretEndsAt) {
        secretEndsAt = found.endsAt;
        expiry.look();
      }
      return found;
    } catch (error) {
      return messageOf(error);
    }
  };

  const refresh = async (): Promise<void> => {
    if (ending.signal.aborted) return;
    const found = await readCredential();
    if (typeof found === 'string') failed('', found, false);
    else await tryOnce(found);
  };

  // Also a relay that has nothing to send says that its certificate ends.
  expiry.look();
  void readCredential();

  const usable = (version: string | undefined): string | undefined => {
    if (!held || (version !== undefined && held.version !== version)) return undefined;
    const margin = Math.min(LONGEST_MARGIN_MS, (held.endsAt - held.from) / 10);
    return clock.now() < held.endsAt - margin ? held.token : undefined;
  };

  return {
    async token() {
      const found = await readCredential();
      if (typeof found === 'string') {
        const token = usable(undefined);
        if (token !== undefined) return { outcome: 'token', token };
        failed('', found, false);
        return { outcome: 'none', reason: found };
      }
      const mayTry = failures === undefined || failures.version !== found.version || clock.now() >= failures.nextAt;
      if (usable(found.version) === undefined && mayTry && !ending.signal.aborted) await tryOnce(found);
      // A new credential that nobody has judged yet does not cost the old one's token.
      const token = usable(undefined);
      if (token !== undefined) return { outcome: 'token', token };
      return { outcome: 'none', reason: failures?.reason ?? 'the relay is stopping' };
    },
    refused() {
      if (!held || clock.now() - lastRefusedAt < REFUSED_EVERY_MS) return;
      log.warn('the service refused the token; another one is asked for');
      lastRefusedAt = clock.now();
      held = undefined;
      failures = undefined;
      forgetRefresh();
      onState?.(state());
    },
    state,
    close() {
      ending.abort();
      cancelRefresh();
      expiry.stop();
    },
  };
}
