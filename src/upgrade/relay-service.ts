import type { Programs } from '../host/run-program.ts';
import type { Services } from '../host/services.ts';

/** The relay's own unit; the one that carries out trials. */
export const RELAY_UNIT = 'relay';
export const TRIAL_UNIT = 'relay-trial';

/** The relay as a service of this machine. */
export interface RelayService {
  /** Starts it and waits until it runs. Rejects, with its last lines, when it ends instead. */
  start(): Promise<void>;
  stop(): Promise<void>;
  isActive(): Promise<boolean>;
  lastLines(): Promise<string>;
}

/** By systemd. A start that failed before must not count against this one: the release may be another. */
export function relayService(services: Services, programs: Programs): RelayService {
  return {
    async start() {
      await programs.run('systemctl', ['reset-failed', RELAY_UNIT]);
      await services.start(RELAY_UNIT);
    },
    stop: () => services.stop(RELAY_UNIT),
    isActive: () => services.isActive(RELAY_UNIT),
    lastLines: () => services.lastLines(RELAY_UNIT),
  };
}
