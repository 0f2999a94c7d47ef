/** Reports on their way to the record. Whoever reports neither waits nor hears of a failure; what comes faster than it is written is added up. */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type CleanEvent, cleanEvent, type IncidentEvent, keyOf } from './event.ts';
import { isAtLeast } from './incident.ts';

/** Reports that wait are written together, this often at most, in milliseconds. */
const WRITE_EVERY_MS = 1_000;
const AFTER_FAILURE_MS = 10_000;
/** Reports of different things that wait at the same time. */
const MAX_WAITING = 1_000;

export interface Reports {
  /** Never throws and never waits. */
  take(event: IncidentEvent): void;
  /** Writes what waits; a failure is logged, and tried again later. */
  flush(): void;
  /** Writes what waits and takes no more. */
  close(): void;
}

export interface ReportsParts {
  /** Records them all, or throws and records none. */
  readonly write: (events: readonly CleanEvent[]) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createReports({ write, clock, log }: ReportsParts): Reports {
  let waiting: CleanEvent[] = [];
  let last = new Map<string, number>();
  let dropped = 0;
  let isPlanned = false;
  let isClosed = false;
  let cancel = (): void => {};
  let mayWriteAt = Number.NEGATIVE_INFINITY;

  const add = (event: CleanEvent): void => {
    const key = keyOf(event);
    const at = last.get(key);
    const before = at === undefined ? undefined : waiting[at];
    if (at !== undefined && before && before.isOver === event.isOver) waiting[at] = together(before, event);
    else if (waiting.length >= MAX_WAITING) dropped += event.count;
    else last.set(key, waiting.push(event) - 1);
  };

  const plan = (): void => {
    if (isPlanned || isClosed) return;
    isPlanned = true;
    const waitMs = Math.min(mayWriteAt - clock.now(), AFTER_FAILURE_MS);
    if (waitMs > 0) cancel = clock.after(waitMs, flush);
    else setImmediate(flush);
  };

  const flush = (): void => {
    cancel();
    isPlanned = false;
    if (waiting.length === 0) return;
    const events = waiting;
    [waiting, last] = [[], new Map()];
    try {
      write(events);
      if (dropped > 0) log.error({ dropped }, 'more things went wrong at once than can be recorded; what is left out here is in the log');
      dropped = 0;
      mayWriteAt = clock.now() + WRITE_EVERY_MS;
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'incidents could not be recorded; look at the disk of the data folder. It is tried again');
      events.forEach(add);
      mayWriteAt = clock.now() + AFTER_FAILURE_MS;
      plan();
    }
  };

  return {
    take(event) {
      try {
        const clean = cleanEvent(event);
        if (!clean) log.error({ kind: String(event?.kind).slice(0, 50) }, 'something was reported that is no known kind of incident');
        else if (isClosed) log.error({ ...clean }, 'an incident was reported after the record was closed');
        else add(clean);
        plan();
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'an incident could not be taken');
      }
    },
    flush,
    close() {
      flush();
      cancel();
      isClosed = true;
    },
  };
}

function together(before: CleanEvent, event: CleanEvent): CleanEvent {
  return { ...event, count: before.count + event.count, severity: isAtLeast(before.severity, event.severity) ? before.severity : event.severity };
}
