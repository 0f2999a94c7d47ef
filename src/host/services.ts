import { RelayError } from '../errors.ts';
import type { Programs } from './run-program.ts';

/** systemd waits at most this long for a unit of ours, in milliseconds. */
const START_LIMIT_MS = 15 * 60_000;
const SHOWN_LINES = '12';

/** The machine's services, by the names of their units. */
export interface Services {
  /** Starts it and waits until it runs. Throws `relay.host.service-failed` with its last lines, as the two below. */
  start(unit: string): Promise<void>;
  stop(unit: string): Promise<void>;
  restart(unit: string): Promise<void>;
  isActive(unit: string): Promise<boolean>;
  /** Whether systemd has given it up; one that it will start again by itself has not failed. */
  hasFailed(unit: string): Promise<boolean>;
  /** What it wrote to the journal last. */
  lastLines(unit: string): Promise<string>;
}

/** Services by systemctl. */
export function createServices(programs: Programs): Services {
  const lastLines = async (unit: string): Promise<string> =>
    (await programs.run('journalctl', ['--unit', unit, '--lines', SHOWN_LINES, '--output', 'cat', '--no-pager'])).out.trim();
  const tell = async (verb: 'start' | 'stop' | 'restart', unit: string): Promise<void> => {
    const { code, err } = await programs.run('systemctl', [verb, unit], { timeoutMs: START_LIMIT_MS });
    if (code === 0) return;
    throw new RelayError(
      'relay.host.service-failed',
      `systemctl ${verb} ${unit} ended with ${code}: ${err.trim()} Its last lines:\n${await lastLines(unit)}\nSee more: journalctl --unit ${unit}`,
    );
  };
  return {
    start: (unit) => tell('start', unit),
    stop: (unit) => tell('stop', unit),
    restart: (unit) => tell('restart', unit),
    isActive: async (unit) => (await programs.run('systemctl', ['is-active', '--quiet', unit])).code === 0,
    hasFailed: async (unit) => (await programs.run('systemctl', ['is-failed', '--quiet', unit])).code === 0,
    lastLines,
  };
}
