/** Incidents and their time lines, in the database. Whoever calls holds the transaction. */
import type { DatabaseSync } from 'node:sqlite';
import type { IncidentEvent } from './event.ts';
import { type Incident, type IncidentRecord, incidentId, readIncidentNumber, type Severity, type State, type TimelineEntry } from './incident.ts';
import type { IncidentKind } from './kinds.ts';

/** Lines of one time line; beyond them only changes of the state are entered. */
export const MAX_ENTRIES = 1_000;
/** Closed incidents that are kept; beyond them the oldest go before their time. */
export const MAX_CLOSED = 50_000;

/** An incident with its number in the store, and what tells it from that number's incident in any other store. */
export interface StoredIncident extends Incident {
  readonly number: number;
  readonly uid: string;
}

/** Which incidents are listed; all unless told. */
export interface IncidentFilter {
  readonly state?: State | undefined;
  /** Only those that are not closed. */
  readonly open?: boolean | undefined;
  readonly source?: string | undefined;
  readonly kind?: IncidentKind | undefined;
  readonly severity?: Severity | undefined;
  /** Only those that happened again since, in milliseconds since 1970. */
  readonly since?: number | undefined;
  /** So many at most, 1 to 1,000; 100 unless given. */
  readonly limit?: number | undefined;
}

export interface IncidentStore {
  /** The open incident of this source, kind and subject. */
  findOpen(key: Pick<IncidentEvent, 'source' | 'kind' | 'subject'>): StoredIncident | undefined;
  /** The number of the youngest closed one. */
  findClosed(key: Pick<IncidentEvent, 'source' | 'kind' | 'subject'>): number | undefined;
  countOpen(source: string, kind: IncidentKind): number;
  get(number: number): StoredIncident | undefined;
  show(number: number): IncidentRecord | undefined;
  /** The youngest first. */
  list(filter: IncidentFilter): Incident[];
  openBySeverity(): Readonly<Record<Severity, number>>;
  /** Those that were last told of at or before this time and that nobody has looked at. */
  unseenSince(toldAt: number): StoredIncident[];
  /** Stores a new incident; gives it its number. */
  add(incident: Omit<StoredIncident, 'id' | 'number'>): StoredIncident;
  save(incident: StoredIncident): void;
  enter(number: number, entry: TimelineEntry): void;
  /** Removes incidents that were closed before this time, and those beyond the cap, with their time lines; how many. */
  forgetClosed(before: number): number;
}

interface Row {
  readonly [column: string]: string | number | null;
}

const OF_KEY = 'source = ? AND kind = ? AND subject = ?';

export function createIncidentStore(database: DatabaseSync): IncidentStore {
  const prepare = (sql: string) => database.prepare(sql);
  const openOfKey = prepare(`SELECT * FROM incidents WHERE ${OF_KEY} AND state <> 'closed'`);
  const closedOfKey = prepare(`SELECT max(number) AS number FROM incidents WHERE ${OF_KEY}`);
  const openOfKind = prepare(`SELECT count(*) AS found FROM incidents WHERE state <> 'closed' AND source = ? AND kind = ?`);
  const byNumber = prepare('SELECT * FROM incidents WHERE number = ?');
  const lines = prepare('SELECT at, who, what, text FROM timeline WHERE incident = ? ORDER BY seq LIMIT ?');
  const bySeverity = prepare(`SELECT severity, count(*) AS found FROM incidents WHERE state <> 'closed' GROUP BY severity`);
  const unseen = prepare(`SELECT * FROM incidents WHERE state = 'detected' AND told_at <= ? ORDER BY number LIMIT 1000`);
  const insert = prepare(`
    INSERT INTO incidents (uid, source, kind, subject, severity, state, state_since, detail, count, first_count, first_at, last_at, told_at, earlier)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const update = prepare('UPDATE incidents SET severity = ?, state = ?, state_since = ?, detail = ?, count = ?, last_at = ?, told_at = ? WHERE number = ?');
  const addLine = prepare(`
    INSERT INTO timeline (incident, at, who, what, text) SELECT ?1, ?2, ?3, ?4, ?5
    WHERE ?4 IN ('assessed', 'contained', 'closed') OR (SELECT count(*) FROM timeline WHERE incident = ?1) < ${MAX_ENTRIES}`);
  const removeClosed = prepare(`
    DELETE FROM incidents WHERE state = 'closed' AND (state_since < ?
      OR number IN (SELECT number FROM incidents WHERE state = 'closed' ORDER BY state_since DESC LIMIT -1 OFFSET ${MAX_CLOSED}))`);
  const removeLines = prepare('DELETE FROM timeline WHERE incident NOT IN (SELECT number FROM incidents)');
  const get = (number: number): StoredIncident | undefined => asIncident(byNumber.get(number));

  return {
    findOpen: ({ source, kind, subject }) => asIncident(openOfKey.get(source, kind, subject)),
    findClosed: ({ source, kind, subject }) => (closedOfKey.get(source, kind, subject) as { number: number | null }).number ?? undefined,
    countOpen: (source, kind) => Number(openOfKind.get(source, kind)?.['found']),
    get,
    show(number) {
      const found = get(number);
      return found && { incident: bare(found), timeline: lines.all(number, 2 * MAX_ENTRIES).map((line) => ({ ...line }) as unknown as TimelineEntry) };
    },
    list(filter) {
      const { where, values } = conditionsOf(filter);
      const rows = prepare(`SELECT * FROM incidents ${where} ORDER BY number DESC LIMIT ?`).all(...values, Math.min(filter.limit ?? 100, 1_000));
      return rows.flatMap((row) => asIncident(row) ?? []).map(bare);
    },
    openBySeverity() {
      const found = Object.fromEntries(bySeverity.all().map((row) => [String(row['severity']), Number(row['found'])]));
      return { info: 0, warn: 0, error: 0, ...found };
    },
    unseenSince: (toldAt) => unseen.all(toldAt).flatMap((row) => asIncident(row) ?? []),
    add(incident) {
      const { uid, source, kind, subject, severity, state, stateSince, detail, count, firstCount, firstAt, lastAt, toldAt, earlier } = incident;
      const before = earlier === undefined ? null : (readIncidentNumber(earlier) ?? null);
      const row = [uid, source, kind, subject, severity, state, stateSince, detail, count, firstCount, firstAt, lastAt, toldAt ?? null, before];
      const number = Number(insert.run(...row).lastInsertRowid);
      return { ...incident, number, id: incidentId(number) };
    },
    save({ number, severity, state, stateSince, detail, count, lastAt, toldAt }) {
      update.run(severity, state, stateSince, detail, count, lastAt, toldAt ?? null, number);
    },
    enter: (number, { at, who, what, text }) => void addLine.run(number, at, who, what, text),
    forgetClosed(before) {
      const { changes } = removeClosed.run(before);
      if (changes !== 0) removeLines.run();
      return Number(changes);
    },
  };
}

/** Without what is the store's own. */
export function bare({ number: _number, uid: _uid, ...incident }: StoredIncident): Incident {
  return incident;
}

function conditionsOf({ state, open, source, kind, severity, since }: IncidentFilter): { readonly where: string; readonly values: (string | number)[] } {
  const wanted: readonly (readonly [string, string | number | undefined])[] = [
    ['state = ?', state],
    ['source = ?', source],
    ['kind = ?', kind],
    ['severity = ?', severity],
    ['last_at >= ?', since],
  ];
  const given = wanted.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]));
  const conditions = [...given.map(({ condition }) => condition), ...(open ? ["state <> 'closed'"] : [])];
  return { where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values: given.map(({ value }) => value) };
}

function asIncident(found: unknown): StoredIncident | undefined {
  const row = found as Row | undefined;
  if (!row) return undefined;
  const number = Number(row['number']);
  return {
    number,
    uid: row['uid'],
    id: incidentId(number),
    source: row['source'],
    kind: row['kind'],
    subject: row['subject'],
    severity: row['severity'],
    state: row['state'],
    stateSince: row['state_since'],
    detail: row['detail'],
    count: row['count'],
    firstCount: row['first_count'],
    firstAt: row['first_at'],
    lastAt: row['last_at'],
    ...(row['told_at'] === null ? {} : { toldAt: row['told_at'] }),
    ...(row['earlier'] === null ? {} : { earlier: incidentId(Number(row['earlier'])) }),
  } as StoredIncident;
}
