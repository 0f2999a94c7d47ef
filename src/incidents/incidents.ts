/**
 * What went wrong, recorded, followed to its end and told to people: one report makes an incident or adds to one, a person moves it on, and mail and
 * webhook say so.
 */
import { type Clock, every } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { inTransaction } from '../transaction.ts';
import type { Channel } from './channel.ts';
import { channelsOf } from './channels.ts';
import { openDatabase } from './database.ts';
import { createDelivery } from './delivery.ts';
import { cleanActor, cleanComment, type IncidentEvent } from './event.ts';
import { type Incident, type IncidentRecord, readIncidentNumber, type Severity, SYSTEM } from './incident.ts';
import { createIncidentStore, type IncidentFilter, type IncidentStore } from './incident-store.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { type Change, type ChangeOutcome, createRecorder, type Recorder } from './recorder.ts';
import { createReports } from './reports.ts';
import type { IncidentsSettings } from './settings.ts';
import type { Random } from './uuid.ts';

const LOOK_EVERY_MS = 60_000;
const FORGET_EVERY_MS = 3_600_000;
const CLOSE_WITHIN_MS = 2_000;

export interface IncidentsParts {
  /** The SQLite file; its folder is there. `IN_MEMORY` for a record that is gone with the process. */
  readonly path: string;
  readonly settings: IncidentsSettings;
  /** The name of this machine, for people. */
  readonly site: string;
  /** What `relay incidents show` needs to find these incidents (`--local-workspace /data`); nothing for the relay's own. */
  readonly flags?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** In place of those that the settings name. */
  readonly channels?: readonly Channel[] | undefined;
}

/** The incidents of one program. */
export interface Incidents {
  /** Takes a report. Never throws and never waits; what cannot be recorded is logged, and tried again. */
  report(event: IncidentEvent): void;
  /** The youngest first. */
  list(filter?: IncidentFilter): readonly Incident[];
  /** An incident by its name (`INC-0007`, `7`), with its time line; undefined when there is none. */
  show(id: string): IncidentRecord | undefined;
  /** Moves an incident on. Throws `relay.incidents.not-recorded` when that cannot be written. */
  change(id: string, change: Change): ChangeOutcome;
  /** How many are not closed; as they were last, while the record cannot be read. */
  openBySeverity(): Readonly<Record<Severity, number>>;
  /** Writes what was reported, lets a notice that is being sent end for `deadlineMs` milliseconds (2,000 unless given). The rest is sent after the next start. Safe to call twice. */
  close(deadlineMs?: number): Promise<void>;
}

/** Opens the record of incidents and sends what waits. Throws `relay.incidents.in-use`, `relay.incidents.newer-file` and `relay.incidents.unusable`. */
export function openIncidents(parts: IncidentsParts): Incidents {
  const { path, settings, site, flags = '', clock, random, log } = parts;
  const database = openDatabase(path, (message) => log.error({ path }, message));
  const store = createIncidentStore(database);
  const outbox = createOutbox(database);
  const channels = parts.channels ?? channelsOf(settings, { clock, flags, warn: (message) => log.warn(message) });
  const names = channels.map(({ name }) => name);
  const atOnce = (work: () => void): void => inTransaction(database, work);
  atOnce(() => giveUpOthers(outbox, store, names, clock.now()));

  const recorder = createRecorder({ database, store, outbox, settings, channels: names, site, clock, random });
  const deliveries = channels.map((channel) => createDelivery({ channel, outbox, enter: store.enter, atOnce, clock, log }));
  const wake = (): void => deliveries.forEach((delivery) => void delivery.wake());
  const reports = createReports({
    write(events) {
      for (const incident of recorder.record(events)) say(log, incident);
      wake();
    },
    clock,
    log,
  });
  const stopLooking = lookAfter(recorder, wake, { clock, log });
  wake();

  let lastOpen = store.openBySeverity();
  let closing: Promise<void> | undefined;
  const close = async (deadlineMs: number): Promise<void> => {
    reports.close();
    stopLooking();
    await Promise.all(deliveries.map((delivery) => delivery.close(deadlineMs)));
    database.close();
  };

  return {
    report: reports.take,
    list(filter = {}) {
      reports.flush();
      return store.list(filter);
    },
    show(id) {
      reports.flush();
      const number = readIncidentNumber(id);
      return number === undefined ? undefined : store.show(number);
    },
    change(id, { state, comment, actor }) {
      reports.flush();
      const number = readIncidentNumber(id);
      if (number === undefined) return { outcome: 'unknown' };
      const outcome = recorded(() => recorder.change(number, { state, comment: cleanComment(comment), actor: cleanActor(actor) }));
      if (outcome.outcome === 'changed') log.info({ incident: outcome.incident.id, state, actor }, 'an incident was moved on');
      wake();
      return outcome;
    },
    openBySeverity() {
      try {
        lastOpen = store.openBySeverity();
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'the record of incidents cannot be read; look at the disk of the data folder');
      }
      return lastOpen;
    },
    close(deadlineMs = CLOSE_WITHIN_MS) {
      closing ??= close(deadlineMs);
      return closing;
    },
  };
}

function say(log: Logger, { id, source, kind, subject, severity, detail, earlier }: Incident): void {
  // Never an error: people are told by the incident itself, and whatever went wrong has its own line and alert.
  log[severity === 'info' ? 'info' : 'warn']({ incident: id, source, kind, subject, detail, earlier }, 'an incident was detected; see: relay incidents show');
}

function recorded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new RelayError('relay.incidents.not-recorded', 'The change could not be recorded. Look at the disk of the data folder, then try again.', { cause });
  }
}

// A channel that is no longer configured would keep its notices for ever.
function giveUpOthers(outbox: Outbox, store: IncidentStore, channels: readonly string[], now: number): void {
  for (const { seq, incident, notice, channel } of outbox.forOthers(channels)) {
    outbox.remove(seq);
    store.enter(incident, { at: now, who: SYSTEM, what: 'given-up', text: `${channel}, ${notice.occasion}: it is not configured any more` });
  }
}

function lookAfter(recorder: Recorder, wake: () => void, { clock, log }: Pick<IncidentsParts, 'clock' | 'log'>): () => void {
  let forgetAt = clock.now();
  return every(clock, LOOK_EVERY_MS, () => {
    try {
      recorder.remind();
      if (clock.now() >= forgetAt) recorder.forget();
      forgetAt = clock.now() >= forgetAt ? clock.now() + FORGET_EVERY_MS : forgetAt;
      wake();
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'reminders of incidents could not be prepared; look at the disk of the data folder');
    }
  });
}
