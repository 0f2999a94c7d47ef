/** Notices on their way out, in the database: a restart goes on where the stop was. */
import type { DatabaseSync } from 'node:sqlite';
import { LONGEST_WAIT_MS } from './next-try.ts';
import { type Notice, readNotice } from './notice.ts';

/** Notices that wait for one channel; what comes beyond them is not sent, and the time line says so. */
export const MAX_WAITING = 1_000;

/** A notice that waits for one channel. */
export interface Waiting {
  readonly seq: number;
  /** The incident's number. */
  readonly incident: number;
  readonly notice: Notice;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Tries so far. */
  readonly attempts: number;
}

export interface Outbox {
  /** False when there is no room. */
  add(channel: string, incident: number, notice: Notice, now: number): boolean;
  /** The oldest that is due. */
  due(channel: string, now: number): Waiting | undefined;
  /** When the next one is due, in milliseconds since 1970. */
  nextAt(channel: string): number | undefined;
  /** It is to be tried again at this time. */
  postpone(seq: number, nextAt: number): void;
  remove(seq: number): void;
  /** Notices for channels other than these. */
  forOthers(channels: readonly string[]): (Waiting & { readonly channel: string })[];
  count(channel: string): number;
}

export function createOutbox(database: DatabaseSync): Outbox {
  const waiting = database.prepare('SELECT count(*) AS found FROM outbox WHERE channel = ?');
  const insert = database.prepare('INSERT INTO outbox (channel, incident, notice, created_at, next_at) VALUES (?, ?, ?, ?, ?)');
  // A try that is further away than any wait was planned before the clock was set back.
  const first = database.prepare('SELECT * FROM outbox WHERE channel = ?1 AND (next_at <= ?2 OR next_at > ?3) ORDER BY seq LIMIT 1');
  const next = database.prepare('SELECT min(next_at) AS at FROM outbox WHERE channel = ?');
  const later = database.prepare('UPDATE outbox SET next_at = ?, attempts = attempts + 1 WHERE seq = ?');
  const gone = database.prepare('DELETE FROM outbox WHERE seq = ?');
  const all = database.prepare('SELECT * FROM outbox ORDER BY seq');
  const count = (channel: string): number => Number(waiting.get(channel)?.['found']);

  return {
    add(channel, incident, notice, now) {
      if (count(channel) >= MAX_WAITING) return false;
      insert.run(channel, incident, JSON.stringify(notice), now, now);
      return true;
    },
    due: (channel, now) => asWaiting(first.get(channel, now, now + LONGEST_WAIT_MS)),
    nextAt: (channel) => (next.get(channel) as { at: number | null }).at ?? undefined,
    postpone: (seq, nextAt) => void later.run(nextAt, seq),
    remove: (seq) => void gone.run(seq),
    forOthers: (channels) =>
      all.all().flatMap((row) => {
        const found = asWaiting(row);
        const channel = String(row['channel']);
        return found && !channels.includes(channel) ? [{ ...found, channel }] : [];
      }),
    count,
  };
}

function asWaiting(row: Record<string, unknown> | undefined): Waiting | undefined {
  if (!row) return undefined;
  return {
    seq: Number(row['seq']),
    incident: Number(row['incident']),
    notice: readNotice(String(row['notice'])),
    createdAt: Number(row['created_at']),
    attempts: Number(row['attempts']),
  };
}
