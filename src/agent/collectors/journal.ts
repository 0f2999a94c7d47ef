import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import { firstAddress } from '../host.ts';
import { type JournalEntry, readJournalEntry, recordOfEntry } from './journal-entry.ts';
import { createLineSplitter } from './line-splitter.ts';
import type { JournalPosition, PositionStore } from './log-positions.ts';
import type { LogSource } from './log-source.ts';

const CHECK_TIMEOUT_MS = 5_000;
const RESTART_MS = 5_000;
const MAX_RECORDS = 1_000;
/** Entries kept in memory; beyond it journalctl has to wait. */
const MAX_WAITING = 2_000;
const MAX_COMPLAINT_CHARACTERS = 500;
const FIELDS = 'MESSAGE,PRIORITY,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,SYSLOG_PID,_COMM,_PID';

export interface JournalOptions {
  /** The program: `journalctl`, or a path to it. */
  readonly command: string;
  /** Entries taken from the journal's end when there is no position yet. */
  readonly firstLines: number;
  readonly hostName: string;
  readonly positions: PositionStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** True when this machine has a journal that this user may read and that holds at least one entry. */
export async function hasJournal(command: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(command, ['-n', '1', '-o', 'json', '--no-pager'], { timeout: CHECK_TIMEOUT_MS });
    return stdout.trimStart().startsWith('{');
  } catch {
    return false;
  }
}

/** Follows the journal through one `journalctl -f`, started again when it ends. */
export function createJournal({ command, firstLines, hostName, positions, clock, log }: JournalOptions): LogSource {
  let waiting: JournalEntry[] = [];
  let child: ChildProcessByStdio<null, Readable, Readable> | undefined;
  let cancelRestart = (): void => {};
  let cursorRefused = false;
  let received: JournalEntry | undefined;
  let closed = false;

  const start = (): void => {
    const follower = spawn(command, ['-f', '-o', 'json', '--all', `--output-fields=${FIELDS}`, '--no-pager', ...from()], { stdio: ['ignore', 'pipe', 'pipe'] });
    const splitter = createLineSplitter();
    let complaint = '';
    let gave = false;
    follower.stdout.on('data', (chunk: Buffer) => {
      gave = true;
      waiting.push(...splitter.push(chunk).flatMap((line) => readJournalEntry(line) ?? []));
      received = waiting.at(-1) ?? received;
      if (waiting.length >= MAX_WAITING) follower.stdout.pause();
    });
    follower.stderr.on('data', (chunk: Buffer) => {
      complaint = `${complaint}${chunk.toString()}`.slice(-MAX_COMPLAINT_CHARACTERS);
    });
    follower.once('error', (error) => {
      complaint = error.message;
    });
    follower.once('close', (code) => {
      if (closed) return;
      // A cursor of a journal that is gone: go on by time, which may repeat an entry but skips none.
      cursorRefused = !gave && code !== null && code !== 0;
      log.warn({ code }, `journalctl ended and is started again: ${complaint.trim()}`);
      cancelRestart = clock.after(RESTART_MS, start);
    });
    child = follower;
  };
  const from = (): string[] => {
    const position = received ? positionOf(received) : positions.current.journal;
    if (!position) return ['-n', String(firstLines)];
    return ['--no-tail', cursorRefused ? `--since=@${position.atS}` : `--after-cursor=${position.cursor}`];
  };

  start();
  return {
    name: 'journal',
    async next() {
      const entries = waiting.slice(0, MAX_RECORDS);
      const newest = entries.at(-1);
      if (!newest) return undefined;
      const now = clock.now();
      const address = firstAddress();
      return {
        records: entries.map((entry) => recordOfEntry(entry, { hostName, address, now })),
        async commit() {
          waiting = waiting.slice(entries.length);
          if (waiting.length < MAX_WAITING) child?.stdout.resume();
          await positions.save({ journal: positionOf(newest) });
        },
      };
    },
    async close() {
      closed = true;
      cancelRestart();
      child?.kill();
    },
  };
}

function positionOf({ cursor, timeMs }: JournalEntry): JournalPosition {
  return { cursor, atS: Math.floor(timeMs / 1_000) };
}
