/**
 * What the relay tells systemd of itself (sd_notify(3)): that it is ready, that it still runs, what it does. Sent by systemd-notify, because Node
 * has no datagrams on Unix sockets; so the unit needs NotifyAccess=all.
 *
 * Invariant: "still runs" is said from the event loop and by nothing else. A relay that hangs says nothing, and is started again.
 */
import { type Clock, every } from '../clock.ts';
import type { Programs } from './run-program.ts';

/** While it starts, it asks for this much more time, again and again: reading a big cache may take minutes. */
const START_STEP_MS = 30_000;
const START_EXTENSION_US = 90_000_000;
const NOTIFY_LIMIT_MS = 10_000;

/** The variables that systemd sets for a unit. */
export interface NotifyEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  /** Microseconds within which "still runs" must be said. */
  readonly WATCHDOG_USEC?: string | undefined;
}

export interface ServiceManager {
  /** The start is done; from now on "still runs" is said three times within the watchdog's time, with what the relay does. */
  ready(status: () => string): Promise<void>;
  stopping(): Promise<void>;
}

/** The way to the service manager; one that does nothing where there is none. Nothing of it ever throws. */
export function openServiceManager(env: NotifyEnvironment, { programs, clock }: { readonly programs: Programs; readonly clock: Clock }): ServiceManager {
  if (!env.NOTIFY_SOCKET) return { ready: async () => {}, stopping: async () => {} };
  const notify = async (...words: readonly string[]): Promise<void> => void (await programs.run('systemd-notify', words, { timeoutMs: NOTIFY_LIMIT_MS }));
  const watchdogMs = Number(env.WATCHDOG_USEC ?? 0) / 1_000;
  let stop = every(clock, START_STEP_MS, () => notify(`EXTEND_TIMEOUT_USEC=${START_EXTENSION_US}`));
  return {
    async ready(status) {
      stop();
      await notify('--ready', `--status=${status()}`);
      if (watchdogMs > 0) stop = every(clock, watchdogMs / 3, () => notify('WATCHDOG=1', `--status=${status()}`));
    },
    async stopping() {
      stop();
      await notify('STOPPING=1', '--status=stopping: what is in hand is finished');
    },
  };
}
