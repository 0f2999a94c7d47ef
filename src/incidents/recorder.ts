/** Carries out what the rules say: every change of an incident, its line in the time line and the notices about it are one transaction. */
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import { inTransaction } from '../transaction.ts';
import type { Channel } from './channel.ts';
import { type CleanEvent, keyOf } from './event.ts';
import { type Incident, isAtLeast, SYSTEM } from './incident.ts';
import { bare, type IncidentStore, type StoredIncident } from './incident-store.ts';
import { ended, isReminderDue, type Occasion, repeated } from './judge.ts';
import { KIND_FACTS } from './kinds.ts';
import { mayMove, type Target } from './lifecycle.ts';
import { noticeOf } from './notice.ts';
import type { Outbox } from './outbox.ts';
import type { IncidentsSettings } from './settings.ts';
import { EMPTY_TALLY, type Tally, tallied } from './threshold.ts';
import { createUuid, type Random } from './uuid.ts';

/** Open incidents of one source and kind; what comes beyond them is one incident of this subject. */
const MAX_OPEN_OF_KIND = 100;
const OTHERS = 'others';
/** Repeats of one incident that get a line each; after them those that people are told of. */
const LINES_FOR_REPEATS = 20;
const MAX_TALLIES = 1_000;

/** What came of a change of the state. */
export type ChangeOutcome =
  | { readonly outcome: 'changed'; readonly incident: Incident }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'refused'; readonly why: string };

export interface Change {
  readonly state: Target;
  readonly comment: string;
  readonly actor: string;
}

export interface Recorder {
  /** Records all of them or none; gives those that opened an incident. */
  record(events: readonly CleanEvent[]): readonly Incident[];
  change(number: number, change: Change): ChangeOutcome;
  /** Puts reminders into the outbox that are due. */
  remind(): void;
  /** Removes closed incidents whose time is over. */
  forget(): void;
}

export interface RecorderParts {
  readonly database: DatabaseSync;
  readonly store: IncidentStore;
  readonly outbox: Outbox;
  readonly settings: Pick<IncidentsSettings, 'notifyFrom' | 'remindAfter' | 'keep' | 'thresholds'>;
  readonly channels: readonly Channel['name'][];
  readonly site: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

export function createRecorder({ database, store, outbox, settings, channels, site, clock, random }: RecorderParts): Recorder {
  const tallies = createTallies(settings);

  /** The incident as it is once people are told of it, if they are. */
  const tell = (incident: StoredIncident, occasion: Occasion, text: string, by: string): StoredIncident => {
    if (channels.length === 0 || !isAtLeast(incident.severity, settings.notifyFrom)) return incident;
    const now = clock.now();
    for (const channel of channels) {
      const notice = noticeOf({ incident, occasion, text, by, site, delivery: createUuid(random), now });
      if (!outbox.add(channel, incident.number, notice, now)) {
        store.enter(incident.number, { at: now, who: SYSTEM, what: 'not-sent', text: `${channel}: too many notices wait already` });
      }
    }
    return { ...incident, toldAt: now };
  };

  const open = (event: CleanEvent, total: number): StoredIncident => {
    const now = clock.now();
    const earlier = store.findClosed(event);
    const before = earlier === undefined ? undefined : store.get(earlier)?.id;
    const { source, kind, subject, severity, detail, actor } = event;
    const when = { stateSince: now, firstAt: now, lastAt: now };
    const begun = { uid: createUuid(random), source, kind, subject, severity, state: 'detected', detail, count: total, firstCount: total, ...when } as const;
    const incident = store.add({ ...begun, ...(before === undefined ? {} : { earlier: before }) });
    const text = before === undefined ? detail : `${detail} (before it: ${before})`;
    store.enter(incident.number, { at: now, who: actor, what: 'detected', text });
    store.save(tell(incident, 'detected', detail, actor));
    return incident;
  };

  const repeat = (before: StoredIncident, event: CleanEvent): void => {
    const { incident, why } = repeated(before, event, clock.now());
    const after = { ...before, ...incident };
    if (why !== undefined || before.count - before.firstCount < LINES_FOR_REPEATS) {
      const text = [event.detail, ...(event.count === 1 ? [] : [`${event.count} times`]), ...(why === undefined ? [] : [why])].join('; ');
      store.enter(before.number, { at: clock.now(), who: event.actor, what: 'repeated', text });
    }
    store.save(why === undefined ? after : tell(after, 'repeated', why, event.actor));
  };

  const end = (before: StoredIncident, event: CleanEvent): void => {
    const over = ended(before, clock.now());
    if (!over) return;
    const after = { ...before, ...over.incident };
    store.enter(before.number, { at: clock.now(), who: event.actor, what: over.isFirst ? 'contained' : 'over', text: event.detail });
    store.save(over.isFirst ? tell(after, 'contained', event.detail, event.actor) : after);
  };

  const bounded = (event: CleanEvent): CleanEvent =>
    store.countOpen(event.source, event.kind) < MAX_OPEN_OF_KIND
      ? event
      : { ...event, subject: OTHERS, detail: `${event.subject}: ${event.detail}`.slice(0, 500) };

  const recordOne = (event: CleanEvent): Incident[] => {
    const known = store.findOpen(event);
    if (event.isOver) {
      if (known) end(known, event);
      return [];
    }
    const own = known ? event : bounded(event);
    const before = known ?? (own === event ? undefined : store.findOpen(own));
    if (before) {
      repeat(before, own);
      return [];
    }
    const total = tallies.reached(own, clock.now());
    return total === undefined ? [] : [bare(open(own, total))];
  };

  const changeIn = (number: number, { state, comment, actor }: Change): ChangeOutcome => {
    const before = store.get(number);
    if (!before) return { outcome: 'unknown' };
    const move = mayMove(before.state, state);
    if (!move.may) return { outcome: 'refused', why: `${before.id}: ${move.why}` };
    const now = clock.now();
    const moved = { ...before, state, stateSince: now };
    store.enter(number, { at: now, who: actor, what: state, text: comment });
    const after = state === 'assessed' ? moved : tell(moved, state, comment, actor);
    store.save(after);
    return { outcome: 'changed', incident: bare(after) };
  };

  return {
    record: (events) => inTransaction(database, () => events.flatMap(recordOne)),
    change: (number, change) => inTransaction(database, () => changeIn(number, change)),
    remind() {
      const now = clock.now();
      const due = store.unseenSince(now - settings.remindAfter).filter((incident) => isReminderDue(incident, now, settings.remindAfter));
      if (due.length === 0) return;
      inTransaction(database, () => {
        for (const incident of due) store.save({ ...tell(incident, 'reminder', incident.detail, SYSTEM), toldAt: now });
      });
    },
    forget: () => void inTransaction(database, () => store.forgetClosed(clock.now() - settings.keep)),
  };
}

/** Counts what is an incident only in number. In memory: a restart begins to count anew. */
function createTallies({ thresholds }: Pick<IncidentsSettings, 'thresholds'>): { reached(event: CleanEvent, now: number): number | undefined } {
  const tallies = new Map<string, Tally>();
  return {
    /** How many there were, once there are enough for an incident. */
    reached(event, now) {
      const { threshold } = KIND_FACTS[event.kind];
      if (threshold === undefined) return event.count;
      const key = keyOf(event);
      const rule = { count: thresholds[threshold], withinMs: thresholds.within };
      const { tally, total, isReached } = tallied(tallies.get(key) ?? EMPTY_TALLY, now, event.count, rule);
      tallies.delete(key);
      if (isReached) return total;
      tallies.set(key, tally);
      const oldest = tallies.size > MAX_TALLIES ? tallies.keys().next().value : undefined;
      if (oldest !== undefined) tallies.delete(oldest);
      return undefined;
    },
  };
}
